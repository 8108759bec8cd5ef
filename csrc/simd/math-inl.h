// Vector math on the types of simd/vector-inl.h. Included again for each level, hence the guard per
// level. simd/trigonometry-inl.h has the less common functions.
//
// A line "Name: within U ulp over [a, b]" is a promise that test/ops/cases/pointwise.ts reads and
// checks at every level, against double precision; beyond the range lies what the function tends
// to, and NaN, infinities, signed zeros and subnormal numbers come out as C's math library has
// them. U counts units in the last place of the exact result. Polynomials are minimax fits (Remez
// exchange in 40 digits, then rounded to float) of the function named, in the form written out; no
// table, no branch but where noted.
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
static inline bool Any(Vi mask) {
#if GRAVITON_VECTOR_BYTES == 64
  return _mm512_movepi32_mask((__m512i)mask) != 0;
#elif GRAVITON_VECTOR_BYTES == 32
  return _mm256_movemask_ps((__m256)mask) != 0;
#elif defined(__aarch64__)
  int64_t halves[2];
  std::memcpy(halves, &mask, sizeof(mask));
  return (halves[0] | halves[1]) != 0;
#else
  return _mm_movemask_ps((__m128)mask) != 0;
#endif
}

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

// x86's instructions, which give the second operand when either is NaN. Arm's give NaN.
static inline Vf MinOrSecond(Vf a, Vf b) {
#if GRAVITON_VECTOR_BYTES == 64
  return (Vf)_mm512_maskz_min_ps(0xffff, (__m512)a, (__m512)b);
#elif GRAVITON_VECTOR_BYTES == 32
  return (Vf)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined(__aarch64__)
  return (Vf)vminq_f32((float32x4_t)a, (float32x4_t)b);
#else
  return (Vf)_mm_min_ps((__m128)a, (__m128)b);
#endif
}
static inline Vf MaxOrSecond(Vf a, Vf b) {
#if GRAVITON_VECTOR_BYTES == 64
  return (Vf)_mm512_maskz_max_ps(0xffff, (__m512)a, (__m512)b);
#elif GRAVITON_VECTOR_BYTES == 32
  return (Vf)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__aarch64__)
  return (Vf)vmaxq_f32((float32x4_t)a, (float32x4_t)b);
#else
  return (Vf)_mm_max_ps((__m128)a, (__m128)b);
#endif
}

// x held to bounds; NaN stays NaN.
static inline Vf AtMost(Vf x, float most) { return MinOrSecond(Splat(most), x); }
static inline Vf AtLeast(Vf x, float least) { return MaxOrSecond(Splat(least), x); }

// NaN if either is. Of zeros of both signs, either.
#if defined(__aarch64__)
static inline Vf Max(Vf a, Vf b) { return MaxOrSecond(a, b); }
static inline Vf Min(Vf a, Vf b) { return MinOrSecond(a, b); }
#else
static inline Vf Max(Vf a, Vf b) { return a != a ? a : MaxOrSecond(a, b); }
static inline Vf Min(Vf a, Vf b) { return a != a ? a : MinOrSecond(a, b); }
#endif

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

// c₀ + c₁ x + c₂ x² + …
template <class V, class C>
static inline V Polynomial(V, C c) {
  return c - V{};
}
template <class V, class C, class... Cs>
static inline V Polynomial(V x, C c, Cs... cs) {
  return Polynomial(x, cs...) * x + c;
}

// e^(x + low) = 2^n e^r with |r| ≤ ln 2 / 2 (Cody & Waite 1980, chapter 6): 355/512 and its rest
// make ln 2, so that n · 355/512 is exact. x must lie in [-2000, 2000]; NaN gives NaN in r.
struct Reduced {
  Vf r;
  Vf n;
  Vi whole;  // n
};
static inline Reduced ReduceExp(Vf x, Vf low) {
  constexpr float kRound = 12582912.0f;  // 1.5 · 2²³: the sum's last bit counts ones
  const Vf shifted = x * 1.44269504f + kRound;
  const Vf n = shifted - kRound;
  const Vf r = (x - n * 0.693359375f) + (n * 2.12194440e-4f + low);
  return {r, n, Bits(shifted) - Bits(Splat(kRound))};
}
// (e^r − 1 − r) / r², |r| ≤ ln 2 / 2.
static inline Vf ExpTail(Vf r) {
  return Polynomial(r, 0.49999994f, 0.166665167f, 0.0416681059f, 0.00836914033f, 0.00138367305f);
}
// 2ⁱ, −126 ≤ i ≤ 127.
static inline Vf PowerOfTwo(Vi i) { return FromBits((i + 127) << 23); }
// x · 2ⁿ, rounded once, also where the result is subnormal; |n| ≤ 252.
static inline Vf Scale(Vf x, const Reduced& by) {
#if GRAVITON_VECTOR_BYTES == 64
  return (Vf)_mm512_maskz_scalef_ps(0xffff, (__m512)x, (__m512)by.n);
#else
  const Vi half = by.whole >> 1;
  return x * PowerOfTwo(half) * PowerOfTwo(by.whole - half);
#endif
}
static inline Vf ExpOf(const Reduced& reduced) {
  const Vf r = reduced.r;
  return Scale(ExpTail(r) * (r * r) + r + 1.0f, reduced);
}

// Exp: within 1.1 ulp over [-Infinity, Infinity]
static inline Vf Exp(Vf x) { return ExpOf(ReduceExp(AtLeast(AtMost(x, 89.0f), -104.0f), Vf{})); }

// e^x − 1 = 2 (2ⁿ⁻¹ (e^r − 1) + (2ⁿ⁻¹ − ½)), where only e^r − 1 is inexact; x in [-18, 89].
static inline Vf Expm1Within(Vf x) {
  const Reduced reduced = ReduceExp(x, Vf{});
  const Vf r = reduced.r;
  const Vf half = PowerOfTwo(reduced.whole - 1);
  return 2.0f * (half * (ExpTail(r) * (r * r) + r) + (half - 0.5f));
}
// Expm1: within 1.6 ulp over [-Infinity, Infinity]
static inline Vf Expm1(Vf x) {
  const Vf result = Expm1Within(AtLeast(AtMost(x, 89.0f), -18.0f));
  return Abs(x) < 0x1p-25f ? x : result;
}

// tanh a = t / (t + 2) with t = e^2a − 1.
// Tanh: within 2.8 ulp over [-Infinity, Infinity]
static inline Vf Tanh(Vf x) {
  const Vf t = Expm1Within(AtMost(2.0f * Abs(x), 40.0f));
  return Abs(x) < 0x1p-25f ? x : CopySign(t / (t + 2.0f), x);
}

// With e^−|x|, which cannot overflow, and below zero as e^x / (1 + e^x): no digit is lost.
// Sigmoid: within 2.5 ulp over [-Infinity, Infinity]
static inline Vf Sigmoid(Vf x) {
  const Vf e = Exp(-Abs(x));
  return (x < 0.0f ? e : Splat(1.0f)) / (1.0f + e);
}
// x sigmoid(x). Below -87 the sigmoid is subnormal, and x carries its rounding up.
// Silu: within 3.3 ulp over [-87, Infinity]
static inline Vf Silu(Vf x) {
  const Vf e = Exp(-Abs(x));
  return (x < 0.0f ? x * e : x) / (1.0f + e);
}

// x = 2ᵉ m with √½ ≤ m < √2; x positive and normal.
static inline Vf Mantissa(Vf x, Vi* exponent) {
  constexpr uint32_t kSqrtHalf = 0x3f3504f3;
  const Vu bits = reinterpret_cast<Vu>(Bits(x));  // unsigned: lanes of other x may wrap
  *exponent = reinterpret_cast<Vi>(bits - kSqrtHalf) >> 23;
  return FromBits(reinterpret_cast<Vi>(bits - (reinterpret_cast<Vu>(*exponent) << 23)));
}
// log(1 + f) + e ln 2 for √½ ≤ 1 + f < √2 (Moshier's arrangement in Cephes' logf): the two parts of
// ln 2 are those of ReduceExp.
static inline Vf LogOf(Vf f, Vf e) {
  const Vf z = f * f;
  const Vf tail =
      Polynomial(f, 0.333333135f, -0.250000089f, 0.200021252f, -0.166679978f, 0.142194018f,
                 -0.124054164f, 0.118892275f, -0.11677438f, 0.0674642324f);
  const Vf rest = f * z * tail + e * -2.12194440e-4f - 0.5f * z;
  return f + rest + e * 0.693359375f;
}

// Log: within 0.9 ulp over [0, Infinity]
static inline Vf Log(Vf x) {
  const Vi subnormal = x < 0x1p-126f;
  Vi exponent;
  const Vf m = Mantissa(subnormal ? x * 0x1p23f : x, &exponent);
  const Vf result = LogOf(m - 1.0f, ToFloat(exponent) - (subnormal ? Splat(23.0f) : Vf{}));
  const Vf edge = x == 0.0f ? Splat(-__builtin_inff()) : (x > 0.0f ? x : Splat(__builtin_nanf("")));
  return ((x > 0.0f) & (x < __builtin_inff())) ? result : edge;
}

// The rounding of 1 + x is put back into the fraction.
// Log1p: within 1.5 ulp over [-1, Infinity]
static inline Vf Log1p(Vf x) {
  const Vf u = 1.0f + x;
  const Vf lost = Abs(x) < 1.0f ? x - (u - 1.0f) : 1.0f - (u - x);
  Vi exponent;
  const Vf m = Mantissa(u, &exponent);
  const Vf scale = PowerOfTwo(exponent < 126 ? -exponent : Splat(-126));
  const Vf result = LogOf((m - 1.0f) + lost * scale, ToFloat(exponent));
  const Vf edge =
      x == -1.0f ? Splat(-__builtin_inff()) : (x > -1.0f ? x : Splat(__builtin_nanf("")));
  return ((x > -1.0f) & (x < __builtin_inff()) & (Abs(x) >= 0x1p-25f)) ? result : edge;
}

// max(x, 0) + log1p(e^−|x|).
// Softplus: within 1.7 ulp over [-Infinity, Infinity]
static inline Vf Softplus(Vf x) {
  const Vf tail = Log1p(Exp(-Abs(x)));
  return x > 0.0f ? x + tail : tail;
}

// Up to 0.875 the odd polynomial, beyond it 1 − e^(−a Q(a)), Q fitted to −log(erfc(a)) / a.
// Erf: within 1.3 ulp over [-Infinity, Infinity]
static inline Vf Erf(Vf x) {
  const Vf a = AtMost(Abs(x), 4.0f);
  const Vf z = a * a;
  const Vf near = a + a * Polynomial(z, 0.128379151f, -0.376125038f, 0.11281921f, -0.0267704334f,
                                     0.00499881385f, -0.000601970882f);
  const Vf q = Polynomial(a, 1.12852538f, 0.635680795f, 0.105311632f, -0.022922121f, 0.00322506181f,
                          -0.000215221487f);
  const Vf far = 1.0f - ExpOf(ReduceExp(-a * q, Vf{}));
  return CopySign(a < 0.875f ? near : far, x);
}

// x Φ(x) with Φ(−a) = e^(−a²/2) T(q) / (a + 3), q = (a − 3) / (a + 3), T fitted up to a = 14.5
// (Shepherd & Laframboise 1981 treat erfc so). a² is taken in two parts, lest the exponential
// multiply its rounding by a²/2; ½ (1 + erf(x / √2)) would lose every digit below −5. Half of the
// error is that of a + 3, times 2.4; a polynomial of its own around 0 gave 5.4 ulp and took a
// fifth longer.
// GeluErf: within 6 ulp over [-12.5, Infinity]
static inline Vf GeluErf(Vf x) {
  const Vf a = AtMost(Abs(x), 15.0f);
  const Vf head = FromBits(Bits(a) & ~0xfff);
  const Vf square = head * head;  // exact
  const Vf rest = (a - head) * (a + head);
  const Vf inverse = 1.0f / (a + 3.0f);
  const Vf t = Polynomial((a - 3.0f) * inverse, 0.729083717f, -0.50933218f, 0.230017707f,
                          -0.0472581908f, -0.010462448f, 0.00693746377f, 0.00101713603f,
                          -0.000946742541f, -0.00020390244f, 5.18509514e-05f);
  const Vf below = ExpOf(ReduceExp(-0.5f * square, -0.5f * rest)) * inverse * t;  // Φ(−a)
  return x * (x > 0.0f ? 1.0f - below : below);
}

// x sigmoid(2 √(2/π) (x + 0.044715 x³)), the same as 0.5 x (1 + tanh(…)). The exponential
// multiplies the rounding of its argument u by u.
// GeluTanh: within 5 ulp over [-1.5, Infinity]
static inline Vf GeluTanh(Vf x) {
  return x / (1.0f + Exp(x * (x * x * -0.0713548162726f - 1.5957691216057f)));
}

}  // namespace graviton::GRAVITON_NS

#endif
