// As simd/foreach_target_bf16.h, for the level whose matrix unit multiplies tiles of bfloat16 and
// int8 (x86-64 with AMX; no other architecture has such a level, and nothing is included there).
// GRAVITON_TILES says that it is there.

#if !defined(__aarch64__)

#include <immintrin.h>

#define GRAVITON_DOT_PRODUCTS
#define GRAVITON_TILES
#define GRAVITON_NS avx512_amx
#define GRAVITON_FP32_NS avx512
#define GRAVITON_VECTOR_BYTES 64
#if defined(__clang__)
#pragma clang attribute push(                                                              \
    __attribute__((target("amx-tile,amx-bf16,amx-int8,avx512f,avx512bw,avx512dq,avx512vl," \
                          "avx512bf16,avx512vnni,avx2,fma,f16c"))),                        \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("amx-tile,amx-bf16,amx-int8,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")
#pragma GCC target("avx512vnni,avx2,fma,f16c,prefer-vector-width=512")
#endif
#include GRAVITON_TARGET_INCLUDE
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef GRAVITON_VECTOR_BYTES
#undef GRAVITON_FP32_NS
#undef GRAVITON_NS
#undef GRAVITON_TILES
#undef GRAVITON_DOT_PRODUCTS

#endif
#undef GRAVITON_TARGET_INCLUDE
