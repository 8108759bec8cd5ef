// Includes GRAVITON_TARGET_INCLUDE once for each fp32 instruction-set level, inside namespace
// GRAVITON_NS and with the compiler's target set to that level:
//
//   #define GRAVITON_TARGET_INCLUDE "kernels/softmax/softmax-inl.h"
//   #include "simd/foreach_target.h"
//
// No include guard: it is meant to be included again. The included file has none either, opens
// `namespace graviton::GRAVITON_NS` itself and may use nothing from the standard library but types
// and <cstring>, <cstddef>, <cstdint>: an inline function instantiated here would carry this
// level's instructions into code that other levels call. Templates must be defined inside, after
// the pragma.
//
// Levels: x86-64 baseline, avx2, avx512; arm64 neon. A family whose kernels gain from bf16, VNNI or
// I8MM includes simd/foreach_target_bf16.h as well; elsewhere that level uses the table below it.

#if defined(__aarch64__)

#define GRAVITON_NS neon
#define GRAVITON_VECTOR_BYTES 16
#include GRAVITON_TARGET_INCLUDE
#undef GRAVITON_VECTOR_BYTES
#undef GRAVITON_NS

#else

#define GRAVITON_NS baseline
#define GRAVITON_VECTOR_BYTES 16
#include GRAVITON_TARGET_INCLUDE
#undef GRAVITON_VECTOR_BYTES
#undef GRAVITON_NS

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c")
#endif
#define GRAVITON_NS avx2
#define GRAVITON_VECTOR_BYTES 32
#include GRAVITON_TARGET_INCLUDE
#undef GRAVITON_VECTOR_BYTES
#undef GRAVITON_NS
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#if defined(__clang__)
#pragma clang attribute push(                                                    \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,prefer-vector-width=512")
#endif
#define GRAVITON_NS avx512
#define GRAVITON_VECTOR_BYTES 64
#include GRAVITON_TARGET_INCLUDE
#undef GRAVITON_VECTOR_BYTES
#undef GRAVITON_NS
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif

#undef GRAVITON_TARGET_INCLUDE
