// As simd/foreach_target.h, for the levels that multiply bfloat16: AVX-512 with BF16 and VNNI, NEON
// with BF16 and I8MM. A file includes one of the two headers, because vectors are as wide here as
// one level below and the guards of simd/*-inl.h go by width. GRAVITON_FP32_NS names the level
// whose fp32 code this one shares; GRAVITON_DOT_PRODUCTS says that int8 is multiplied, too.

#define GRAVITON_DOT_PRODUCTS
#if defined(__aarch64__)

// Before the pragma: its inline functions carry their own targets.
#include <arm_neon.h>

#define GRAVITON_NS neon_bf16
#define GRAVITON_FP32_NS neon
#define GRAVITON_VECTOR_BYTES 16
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("bf16,i8mm,dotprod"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("arch=armv8.2-a+bf16+i8mm+dotprod")
#endif
#include GRAVITON_TARGET_INCLUDE

#else

#include <immintrin.h>

#define GRAVITON_NS avx512_bf16
#define GRAVITON_FP32_NS avx512
#define GRAVITON_VECTOR_BYTES 64
#if defined(__clang__)
#pragma clang attribute push(                                                               \
    __attribute__((                                                                         \
        target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vnni,avx2,fma,f16c"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target( \
    "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vnni,avx2,fma,f16c,prefer-vector-width=512")
#endif
#include GRAVITON_TARGET_INCLUDE

#endif

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef GRAVITON_DOT_PRODUCTS
#undef GRAVITON_VECTOR_BYTES
#undef GRAVITON_FP32_NS
#undef GRAVITON_NS
#undef GRAVITON_TARGET_INCLUDE
