// Trigonometric and hyperbolic functions, their inverses, and powers. Included again for each
// level, hence the guard per level; the including .cc file includes <cmath> before it. Conventions
// and promises are those of simd/math-inl.h.
#include "simd/math-inl.h"

// clang-format off
#if (GRAVITON_VECTOR_BYTES == 16 && !defined(GRAVITON_TRIGONOMETRY_16)) || \
    (GRAVITON_VECTOR_BYTES == 32 && !defined(GRAVITON_TRIGONOMETRY_32)) || \
    (GRAVITON_VECTOR_BYTES == 64 && !defined(GRAVITON_TRIGONOMETRY_64))
#if GRAVITON_VECTOR_BYTES == 16
#define GRAVITON_TRIGONOMETRY_16
#elif GRAVITON_VECTOR_BYTES == 32
#define GRAVITON_TRIGONOMETRY_32
#else
#define GRAVITON_TRIGONOMETRY_64
#endif
// clang-format on

namespace graviton::GRAVITON_NS {

typedef double Vd __attribute__((vector_size(GRAVITON_VECTOR_BYTES)));
typedef int64_t Vl __attribute__((vector_size(GRAVITON_VECTOR_BYTES)));
typedef float VfHalf __attribute__((vector_size(GRAVITON_VECTOR_BYTES / 2)));
typedef int32_t ViHalf __attribute__((vector_size(GRAVITON_VECTOR_BYTES / 2)));

#if GRAVITON_VECTOR_BYTES == 64
#define GRAVITON_LOW_HALF 0, 1, 2, 3, 4, 5, 6, 7
#define GRAVITON_HIGH_HALF 8, 9, 10, 11, 12, 13, 14, 15
#elif GRAVITON_VECTOR_BYTES == 32
#define GRAVITON_LOW_HALF 0, 1, 2, 3
#define GRAVITON_HIGH_HALF 4, 5, 6, 7
#else
#define GRAVITON_LOW_HALF 0, 1
#define GRAVITON_HIGH_HALF 2, 3
#endif

// The lanes of a vector of floats in double precision.
struct Doubles {
  Vd half[2];
};
static inline Doubles Widen(Vf x) {
  return {{__builtin_convertvector(__builtin_shufflevector(x, x, GRAVITON_LOW_HALF), Vd),
           __builtin_convertvector(__builtin_shufflevector(x, x, GRAVITON_HIGH_HALF), Vd)}};
}
static inline Vf Narrow(Vd low, Vd high) {
  return __builtin_shufflevector(__builtin_convertvector(low, VfHalf),
                                 __builtin_convertvector(high, VfHalf), GRAVITON_LOW_HALF,
                                 GRAVITON_HIGH_HALF);
}
#undef GRAVITON_LOW_HALF
#undef GRAVITON_HIGH_HALF

// x − n π/2 for the nearest n, and n modulo 4, for |x| < 2²⁶: in double precision, where n times
// each of the first two parts of π/2 (27 bits each) is exact. The float of this kind nearest to a
// multiple of π/2 is some 2⁻²⁸ away, the error of the reduction 2⁻⁵³.
constexpr float kReducible = 0x1p26f;
struct Quadrant {
  Vf r;
  Vi n;
};
static inline Quadrant ReduceQuadrant(Vf x) {
  constexpr double kRound = 0x1.8p52;  // the sum's last bit counts ones
  const Doubles wide = Widen(x);
  Vd r[2];
  Vd quarter[2];
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i) {
    const Vd n = (wide.half[i] * 0.63661977236758134308 + kRound) - kRound;
    r[i] = ((wide.half[i] - n * 0x1.921fb54p0) - n * 0x1.10b4610p-30) - n * 0x1.a62633145c06ep-58;
    quarter[i] = n - 4.0 * ((n * 0.25 + kRound) - kRound);  // −2 … 2
  }
  return {Narrow(r[0], r[1]), __builtin_convertvector(Narrow(quarter[0], quarter[1]), Vi)};
}
// sin r and cos r for |r| ≤ π/4.
static inline Vf SinOf(Vf r) {
  const Vf z = r * r;
  return r + r * z * Polynomial(z, -0.166666552f, 0.00833218917f, -0.000195182598f);
}
static inline Vf CosOf(Vf r) {
  const Vf z = r * r;
  return 1.0f - (0.5f * z - z * z * Polynomial(z, 0.0416666456f, -0.00138873095f, 2.44323182e-05f));
}
// Angles too large for that go through libm, which knows 2/π to the last bit (Payne & Hanek 1983).
// The one branch here, on any lane.
template <float (*F)(float)>
__attribute__((noinline)) static Vf EachLane(Vf x) {
  Vf y;
  for (size_t i = 0; i < kLanes; ++i) y[i] = F(x[i]);
  return y;
}
static inline Vi TooLarge(Vf x) { return ~(Abs(x) < kReducible); }

static inline Vf SinQuarter(const Quadrant& q, int32_t quarters) {
  const Vi n = q.n + quarters;
  const Vf value = (n & 1) != 0 ? CosOf(q.r) : SinOf(q.r);
  return FromBits(Bits(value) ^ ((n & 2) << 30));
}
// Sin: within 1.6 ulp over [-Infinity, Infinity]
static inline Vf Sin(Vf x) {
  if (__builtin_expect(Any(TooLarge(x)), 0)) return EachLane<sinf>(x);
  return x == 0.0f ? x : SinQuarter(ReduceQuadrant(x), 0);
}
// Cos: within 1.6 ulp over [-Infinity, Infinity]
static inline Vf Cos(Vf x) {
  if (__builtin_expect(Any(TooLarge(x)), 0)) return EachLane<cosf>(x);
  return SinQuarter(ReduceQuadrant(x), 1);
}
// In double precision: near its poles tanf is a whole unit off, more than tfjs-core's suite allows.
static inline float TanOfLarge(float x) { return static_cast<float>(tan(static_cast<double>(x))); }
// Tan: within 3.5 ulp over [-Infinity, Infinity]
static inline Vf Tan(Vf x) {
  if (__builtin_expect(Any(TooLarge(x)), 0)) return EachLane<TanOfLarge>(x);
  const Quadrant q = ReduceQuadrant(x);
  const Vf sin = SinOf(q.r);
  const Vf cos = CosOf(q.r);
  const Vi odd = (q.n & 1) != 0;
  return x == 0.0f ? x : (odd ? -cos : sin) / (odd ? sin : cos);
}

// Beyond ½ through asin a = π/2 − 2 asin √((1 − a) / 2).
struct HalfAsin {
  Vf value;  // asin √z, that is asin a or, beyond ½, half of acos a
  Vi beyond;
};
static inline HalfAsin AsinOf(Vf a) {
  const Vi beyond = a > 0.5f;
  const Vf z = beyond ? 0.5f * (1.0f - a) : a * a;
  const Vf t = beyond ? Sqrt(z) : a;
  return {t + t * z *
                  Polynomial(z, 0.166667521f, 0.0749530941f, 0.0454691499f, 0.0241847821f,
                             0.0421583168f),
          beyond};
}
constexpr float kHalfPi = 1.57079637f;
constexpr float kHalfPiRest = -4.37113883e-8f;  // π/2 − kHalfPi
// Asin: within 2.5 ulp over [-1, 1]
static inline Vf Asin(Vf x) {
  const HalfAsin half = AsinOf(Abs(x));
  return CopySign(half.beyond ? kHalfPi - (2.0f * half.value - kHalfPiRest) : half.value, x);
}
// Acos: within 1.3 ulp over [-1, 1]
static inline Vf Acos(Vf x) {
  const HalfAsin half = AsinOf(Abs(x));
  const Vf twice = 2.0f * half.value;
  const Vf beyond = x < 0.0f ? 2.0f * kHalfPi - (twice - 2.0f * kHalfPiRest) : twice;
  return half.beyond ? beyond : kHalfPi - (CopySign(half.value, x) - kHalfPiRest);
}

// 0 ≤ t ≤ 1.
static inline Vf AtanOf(Vf t) {
  const Vf z = t * t;
  return t + t * z *
                 Polynomial(z, -0.333332986f, 0.199985296f, -0.142640144f, 0.109508611f,
                            -0.0839920789f, 0.0578788668f, -0.0310935192f, 0.0108662527f,
                            -0.00178213674f);
}
// Atan: within 1.5 ulp over [-Infinity, Infinity]
static inline Vf Atan(Vf x) {
  const Vf a = Abs(x);
  const Vi beyond = a > 1.0f;
  const Vf angle = AtanOf(beyond ? 1.0f / a : a);
  return CopySign(beyond ? kHalfPi - (angle - kHalfPiRest) : angle, x);
}
// Atan2: within 2.5 ulp over [-Infinity, Infinity]
static inline Vf Atan2(Vf y, Vf x) {
  const Vf a = Abs(x);
  const Vf b = Abs(y);
  const Vi steep = b > a;
  const Vf longer = steep ? b : a;
  const Vf shorter = steep ? a : b;
  const Vf ratio = shorter == longer ? (longer == 0.0f ? Vf{} : Splat(1.0f)) : shorter / longer;
  Vf angle = AtanOf(ratio);
  angle = steep ? kHalfPi - (angle - kHalfPiRest) : angle;
  angle = Bits(x) < 0 ? 2.0f * kHalfPi - (angle - 2.0f * kHalfPiRest) : angle;
  return ((x != x) | (y != y)) ? x + y : CopySign(angle, y);
}

// What follows is computed in double precision, because float arithmetic would cancel or multiply
// errors up. Half as many lanes, but plain formulas, right to the rounding of the result.

// log x for x positive, finite and normal: 2 atanh s = 2 (s + s³/3 + … + s¹⁷/17), s = f / (2 + f).
static inline Vd LogWide(Vd x) {
  typedef uint64_t Vul __attribute__((vector_size(GRAVITON_VECTOR_BYTES)));
  constexpr uint64_t kOne = 0x3ff0000000000000;
  constexpr uint64_t kSqrtHalf = 0x3fe6a09e667f3bcd;
  constexpr uint64_t kTwo52 = 0x4330000000000000;
  const Vul bits = reinterpret_cast<Vul>(x);
  const Vul biased = (bits + (kOne - kSqrtHalf)) >> 52;
  const Vd e = reinterpret_cast<Vd>(biased | kTwo52) - (0x1p52 + 1023.0);
  const Vd f = reinterpret_cast<Vd>(bits - ((biased - 1023) << 52)) - 1.0;
  const Vd s = f / (2.0 + f);
  const Vd z = s * s;
  const Vd series =
      Polynomial(z, 1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11, 1.0 / 13, 1.0 / 15, 1.0 / 17);
  return e * 0.69314718055994530942 + 2.0 * (s + s * z * series);
}
// e^x by its series to r¹⁰; beyond ±200 as there.
static inline Vd ExpWide(Vd x) {
  constexpr double kRound = 0x1.8p52;
  x = x > 200.0 ? 200.0 - Vd{} : x;
  x = x < -200.0 ? -200.0 - Vd{} : x;
  const Vd shifted = x * 1.44269504088896340736 + kRound;
  const Vd n = shifted - kRound;
  const Vd r = (x - n * 0x1.62e42fefp-1) - n * 0x1.473de6af278edp-34;
  const Vd p = Polynomial(r, 1.0, 1.0, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040,
                          1.0 / 40320, 1.0 / 362880, 1.0 / 3628800);
  return reinterpret_cast<Vd>(reinterpret_cast<Vl>(p) + (reinterpret_cast<Vl>(shifted) << 52));
}

// A function of doubles on floats. Out of line: these are long, and rare.
template <Vd (*F)(Vd)>
__attribute__((noinline)) static Vf InDouble(Vf x) {
  const Doubles wide = Widen(x);
  return Narrow(F(wide.half[0]), F(wide.half[1]));
}
static inline Vd SinhWide(Vd x) {
  const Vd e = ExpWide(x);
  return 0.5 * (e - 1.0 / e);
}
static inline Vd CoshWide(Vd x) {
  const Vd e = ExpWide(x);
  return 0.5 * (e + 1.0 / e);
}
static inline Vd SqrtWide(Vd x) {
  Vd root;
  for (size_t i = 0; i < kLanes / 2; ++i) root[i] = __builtin_sqrt(x[i]);
  return root;
}
static inline Vd AsinhWide(Vd a) { return LogWide(a + SqrtWide(a * a + 1.0)); }
static inline Vd AcoshWide(Vd x) { return LogWide(x + SqrtWide((x - 1.0) * (x + 1.0))); }
static inline Vd AtanhWide(Vd a) { return 0.5 * LogWide((1.0 + a) / (1.0 - a)); }

// x itself where the next term, x³/3 or x³/6, is below its last bit and the formulas cancel.
static inline Vf SmallOr(Vf x, Vf beyond) { return Abs(x) < 0x1p-14f ? x : beyond; }
static inline Vf NanOr(Vi valid, Vf x) { return valid ? x : Splat(__builtin_nanf("")); }

// Sinh: within 0.6 ulp over [-Infinity, Infinity]
static inline Vf Sinh(Vf x) { return SmallOr(x, InDouble<SinhWide>(x)); }
// Cosh: within 0.6 ulp over [-Infinity, Infinity]
static inline Vf Cosh(Vf x) { return InDouble<CoshWide>(x); }
// Asinh: within 0.6 ulp over [-Infinity, Infinity]
static inline Vf Asinh(Vf x) {
  const Vf a = Abs(x);
  const Vf beyond = a < __builtin_inff() ? CopySign(InDouble<AsinhWide>(a), x) : x;
  return SmallOr(x, beyond);
}
// Acosh: within 0.6 ulp over [1, Infinity]
static inline Vf Acosh(Vf x) {
  return NanOr(x >= 1.0f, x < __builtin_inff() ? InDouble<AcoshWide>(x) : x);
}
// Atanh: within 0.6 ulp over [-1, 1]
static inline Vf Atanh(Vf x) {
  const Vf a = Abs(x);
  const Vf within = CopySign(InDouble<AtanhWide>(a), x);
  const Vf beyond = NanOr(a <= 1.0f, a == 1.0f ? CopySign(Splat(__builtin_inff()), x) : within);
  return SmallOr(x, beyond);
}

// |x|^y as e^(y log |x|), then what C99 (F.9.4.4) and TensorFlow say of signs and edges.
// Pow: within 0.6 ulp over [-Infinity, Infinity]
__attribute__((noinline)) static Vf Pow(Vf x, Vf y) {
  const Vf a = Abs(x);
  const Doubles base = Widen(a);
  const Doubles exponent = Widen(y);
  Vd power[2];
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i) {
    const Vd b = base.half[i];
    const Vd infinite = __builtin_inf() - Vd{};
    const Vd log = b == 0.0 ? -infinite : (b < infinite ? LogWide(b) : b);
    power[i] = ExpWide(exponent.half[i] * log);
  }
  Vf result = Narrow(power[0], power[1]);
  const Vi whole = Floor(y) == y;
  const Vi odd = whole & (Floor(0.5f * y) != 0.5f * y);
  result = (x < 0.0f) & (a < __builtin_inff()) & ~whole ? Splat(__builtin_nanf("")) : result;
  result = (Bits(x) < 0) & odd ? -result : result;
  const Vi one = (y == 0.0f) | (x == 1.0f) | ((a == 1.0f) & (Abs(y) == __builtin_inff()));
  return one ? Splat(1.0f) : result;
}

}  // namespace graviton::GRAVITON_NS

#endif
