// Vector math on the types of simd/vector-inl.h. Included again for each level, hence the guard per
// level.
#include "simd/vector-inl.h"

// clang-format off
#if (GRAVITON_VECTOR_BYTES == 16 && !defined(GRAVITON_MATH_16)) || \
    (GRAVITON_VECTOR_BYTES == 32 && !defined(GRAVITON_MATH_32)) || \
    (GRAVITON_VECTOR_BYTES == 64 && !defined(GRAVITON_MATH_64))
#if GRAVITON_VECTOR_BYTES == 16
#define GRAVITON_MATH_16
#elif GRAVITON_VECTOR_BYTES == 32
#define GRAVITON_MATH_32
#else
#define GRAVITON_MATH_64
#endif
// clang-format on

namespace graviton::GRAVITON_NS {

static inline Vf Abs(Vf x) { return FromBits(Bits(x) & 0x7fffffff); }
// |x| with the sign of y.
static inline Vf CopySign(Vf x, Vf y) {
  return FromBits((Bits(x) & 0x7fffffff) | (Bits(y) & INT32_MIN));
}

// NaN if either is. max(+0, -0) is either zero.
static inline Vf Max(Vf a, Vf b) { return (a > b) | (a != a) ? a : b; }
static inline Vf Min(Vf a, Vf b) { return (a < b) | (a != a) ? a : b; }

// Full masks here and below: g++ 12 warns of uninitialised registers in the unmasked AVX-512
// intrinsics, and drops the mask.
static inline Vf Sqrt(Vf x) {
#if GRAVITON_VECTOR_BYTES == 64
  return (Vf)_mm512_maskz_sqrt_ps(0xffff, (__m512)x);
#elif GRAVITON_VECTOR_BYTES == 32
  return (Vf)_mm256_sqrt_ps((__m256)x);
#elif defined(__aarch64__)
  return (Vf)vsqrtq_f32((float32x4_t)x);
#else
  return (Vf)_mm_sqrt_ps((__m128)x);
#endif
}

#if GRAVITON_VECTOR_BYTES == 16 && !defined(__aarch64__)
// SSE2 has no rounding instruction. Adding and taking away 2²³ rounds |x| < 2²³ to even; everything
// larger, NaN included, is its own result.
static inline Vf RoundEven(Vf x) {
  const Vf magnitude = Abs(x);
  const Vf rounded = (magnitude + 8388608.0f) - 8388608.0f;
  return CopySign(magnitude < 8388608.0f ? rounded : x, x);
}
static inline Vf Floor(Vf x) {
  const Vf rounded = RoundEven(x);
  return CopySign(rounded > x ? rounded - 1.0f : rounded, x);
}
static inline Vf Ceil(Vf x) {
  const Vf rounded = RoundEven(x);
  return CopySign(rounded < x ? rounded + 1.0f : rounded, x);
}
#else
static inline Vf RoundEven(Vf x) {
#if GRAVITON_VECTOR_BYTES == 64
  return (Vf)_mm512_maskz_roundscale_ps(0xffff, (__m512)x,
                                        _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#elif GRAVITON_VECTOR_BYTES == 32
  return (Vf)_mm256_round_ps((__m256)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#else
  return (Vf)vrndnq_f32((float32x4_t)x);
#endif
}
static inline Vf Floor(Vf x) {
#if GRAVITON_VECTOR_BYTES == 64
  return (Vf)_mm512_maskz_roundscale_ps(0xffff, (__m512)x,
                                        _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
#elif GRAVITON_VECTOR_BYTES == 32
  return (Vf)_mm256_round_ps((__m256)x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
#else
  return (Vf)vrndmq_f32((float32x4_t)x);
#endif
}
static inline Vf Ceil(Vf x) {
#if GRAVITON_VECTOR_BYTES == 64
  return (Vf)_mm512_maskz_roundscale_ps(0xffff, (__m512)x,
                                        _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
#elif GRAVITON_VECTOR_BYTES == 32
  return (Vf)_mm256_round_ps((__m256)x, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
#else
  return (Vf)vrndpq_f32((float32x4_t)x);
#endif
}
#endif

// Towards zero; NaN and what int32 cannot hold give INT32_MIN.
static inline Vi ToInt(Vf x) {
  const Vi fits = (x >= -2147483648.0f) & (x < 2147483648.0f);
  return fits ? __builtin_convertvector(fits ? x : Splat(0.0f), Vi) : Splat(INT32_MIN);
}
static inline Vf ToFloat(Vi x) { return __builtin_convertvector(x, Vf); }

}  // namespace graviton::GRAVITON_NS

#endif
