// The scalar functions of programs (scalars in src/ops/pointwise.ts) as kernels over a run of
// elements. Included by interpreter-inl.h for each level.

namespace graviton::GRAVITON_NS {

// One instruction over n ≥ kLanes elements. Operands are words (float32 or int32) that advance by
// `step`: 1, or 0 for a block of kLanes equal words. `out` may be an operand with step 1.
// Kernels start with a copy: stores through `out` might otherwise change the fields, for all the
// compiler knows, and every vector would read them again.
struct Run {
  const float* in[3];
  size_t step[3];
  float* out;
  size_t n;
};
using ScalarKernel = void (*)(const Run&);

static inline void LoadWords(const float* p, Vf* v) { *v = Load(p); }
static inline void LoadWords(const float* p, Vi* v) { *v = Bits(Load(p)); }
static inline void StoreWords(float* p, Vf v) { Store(p, v); }
static inline void StoreWords(float* p, Vi v) { Store(p, FromBits(v)); }
template <class V>
static inline V OperandAt(const Run& run, int operand, size_t i) {
  V v;
  LoadWords(run.in[operand] + i * run.step[operand], &v);
  return v;
}

// The last, overlapping vector is computed first and stored last: no scalar tail, and right in
// place.
template <class Body>
static inline void ForVectors(const Run& run, Body body) {
  float* const out = run.out;
  const size_t last = run.n - kLanes;
  const auto kept = body(last);
  for (size_t i = 0; i < last; i += kLanes) StoreWords(out + i, body(i));
  StoreWords(out + last, kept);
}

template <auto F>
struct Map;
template <class R, class A, R (*F)(A)>
struct Map<F> {
  static void Kernel(const Run& shared) {
    const Run run = shared;
    ForVectors(run, [&run](size_t i) { return F(OperandAt<A>(run, 0, i)); });
  }
};
template <class R, class A, class B, R (*F)(A, B)>
struct Map<F> {
  static void Kernel(const Run& shared) {
    const Run run = shared;
    ForVectors(run,
               [&run](size_t i) { return F(OperandAt<A>(run, 0, i), OperandAt<B>(run, 1, i)); });
  }
};
template <class R, class A, class B, class C, R (*F)(A, B, C)>
struct Map<F> {
  static void Kernel(const Run& shared) {
    const Run run = shared;
    ForVectors(run, [&run](size_t i) {
      return F(OperandAt<A>(run, 0, i), OperandAt<B>(run, 1, i), OperandAt<C>(run, 2, i));
    });
  }
};

// For functions that no model spends time in: element by element.
template <float (*F)(float, float)>
void Each2(const Run& run) {
  for (size_t i = 0; i < run.n; ++i) {
    run.out[i] = F(run.in[0][i * run.step[0]], run.in[1][i * run.step[1]]);
  }
}
static inline int32_t WordAt(const Run& run, int operand, size_t i) {
  int32_t word;
  std::memcpy(&word, run.in[operand] + i * run.step[operand], sizeof(word));
  return word;
}
template <int32_t (*F)(int32_t, int32_t)>
void EachInt2(const Run& run) {
  for (size_t i = 0; i < run.n; ++i) {
    const int32_t result = F(WordAt(run, 0, i), WordAt(run, 1, i));
    std::memcpy(run.out + i, &result, sizeof(result));
  }
}

// Comparisons of vectors give -1 for true.
static inline Vi OneIf(Vi mask) { return mask & 1; }
// Overflow wraps, as in TensorFlow; of signed integers it would be undefined.
static inline Vu U(Vi x) { return reinterpret_cast<Vu>(x); }
static inline Vi I(Vu x) { return reinterpret_cast<Vi>(x); }

static inline Vf Identity(Vf x) { return x; }
static inline Vi IdentityInt(Vi x) { return x; }
static inline Vf Add(Vf a, Vf b) { return a + b; }
static inline Vf Sub(Vf a, Vf b) { return a - b; }
static inline Vf Mul(Vf a, Vf b) { return a * b; }
static inline Vf Div(Vf a, Vf b) { return a / b; }
static inline Vf FloorDiv(Vf a, Vf b) { return Floor(a / b); }
static inline Vf SquaredDifference(Vf a, Vf b) { return (a - b) * (a - b); }
static inline Vf Leaky(Vf a, Vf b) { return a >= 0.0f ? a : a * b; }
static inline Vf MulAdd(Vf a, Vf b, Vf c) { return a * b + c; }
static inline Vi Equal(Vf a, Vf b) { return OneIf(a == b); }
static inline Vi NotEqual(Vf a, Vf b) { return OneIf(a != b); }
static inline Vi Less(Vf a, Vf b) { return OneIf(a < b); }
static inline Vi LessEqual(Vf a, Vf b) { return OneIf(a <= b); }
static inline Vi Greater(Vf a, Vf b) { return OneIf(a > b); }
static inline Vi GreaterEqual(Vf a, Vf b) { return OneIf(a >= b); }
static inline Vf Neg(Vf x) { return -x; }
static inline Vf Square(Vf x) { return x * x; }
static inline Vf Rsqrt(Vf x) { return 1.0f / Sqrt(x); }
static inline Vf Reciprocal(Vf x) { return 1.0f / x; }
static inline Vf Relu(Vf x) { return x < 0.0f ? Splat(0.0f) : x; }
static inline Vf Relu6(Vf x) {
  const Vf positive = Relu(x);
  return positive > 6.0f ? Splat(6.0f) : positive;
}
static inline Vf Sign(Vf x) {
  return x > 0.0f ? Splat(1.0f) : (x < 0.0f ? Splat(-1.0f) : Splat(0.0f));
}
static inline Vf StepAt(Vf a, Vf b) { return a > 0.0f ? Splat(1.0f) : (a != a ? a : b); }
static inline Vf Clip(Vf a, Vf b, Vf c) { return Min(Max(a, b), c); }
static inline Vf EluGrad(Vf a, Vf b) { return b >= 0.0f ? a : a * (b + 1.0f); }
static inline Vi IsNan(Vf x) { return OneIf(x != x); }
static inline Vi IsInf(Vf x) { return OneIf(Abs(x) == __builtin_inff()); }
static inline Vi IsFinite(Vf x) { return OneIf(Abs(x) < __builtin_inff()); }
static inline Vf Elu(Vf x) { return x > 0.0f ? x : Expm1(AtMost(x, 0.0f)); }
static inline Vf Selu(Vf x) {
  return 1.05070098f * (x > 0.0f ? x : 1.67326324f * Expm1(AtMost(x, 0.0f)));
}
static inline Vf HardSigmoid(Vf x) { return Relu6(x + 3.0f) / 6.0f; }
static inline Vf HardSwish(Vf x) { return x * Relu6(x + 3.0f) / 6.0f; }

static inline Vi AddInt(Vi a, Vi b) { return I(U(a) + U(b)); }
static inline Vi SubInt(Vi a, Vi b) { return I(U(a) - U(b)); }
static inline Vi MulInt(Vi a, Vi b) { return I(U(a) * U(b)); }
static inline Vi MaximumInt(Vi a, Vi b) { return a > b ? a : b; }
static inline Vi MinimumInt(Vi a, Vi b) { return a < b ? a : b; }
static inline Vi SquaredDifferenceInt(Vi a, Vi b) { return I((U(a) - U(b)) * (U(a) - U(b))); }
static inline Vi EqualInt(Vi a, Vi b) { return OneIf(a == b); }
static inline Vi NotEqualInt(Vi a, Vi b) { return OneIf(a != b); }
static inline Vi LessInt(Vi a, Vi b) { return OneIf(a < b); }
static inline Vi LessEqualInt(Vi a, Vi b) { return OneIf(a <= b); }
static inline Vi GreaterInt(Vi a, Vi b) { return OneIf(a > b); }
static inline Vi GreaterEqualInt(Vi a, Vi b) { return OneIf(a >= b); }
static inline Vi And(Vi a, Vi b) { return a & b; }
static inline Vi Or(Vi a, Vi b) { return a | b; }
static inline Vi Xor(Vi a, Vi b) { return a ^ b; }
static inline Vi Not(Vi x) { return OneIf(x == 0); }
static inline Vi NegInt(Vi x) { return I(-U(x)); }
static inline Vi AbsInt(Vi x) { return x < 0 ? NegInt(x) : x; }
static inline Vi SignInt(Vi x) { return OneIf(x > 0) - OneIf(x < 0); }
static inline Vf Select(Vi a, Vf b, Vf c) { return a != 0 ? b : c; }
static inline Vi SelectInt(Vi a, Vi b, Vi c) { return a != 0 ? b : c; }
static inline Vi ToBool(Vf x) { return OneIf(x != 0.0f); }
static inline Vi ToBoolInt(Vi x) { return OneIf(x != 0); }

// The signs follow TensorFlow's FloorMod: a nonzero remainder takes the divisor's.
static inline float ModOf(float a, float b) {
  const float remainder = fmodf(a, b);
  return remainder != 0.0f && (b < 0.0f) != (remainder < 0.0f) ? remainder + b : remainder;
}
// Unsigned, so that INT32_MIN / -1 wraps.
static inline int32_t TruncateDivIntOf(int32_t a, int32_t b) {
  if (b == -1) return static_cast<int32_t>(0u - static_cast<uint32_t>(a));
  return b == 0 ? 0 : a / b;
}
static inline int32_t FloorDivIntOf(int32_t a, int32_t b) {
  const int32_t quotient = TruncateDivIntOf(a, b);
  const bool inexact = b != 0 && b != -1 && a % b != 0;
  return inexact && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}
static inline int32_t ModIntOf(int32_t a, int32_t b) {
  if (b == 0 || b == -1) return 0;
  const int32_t remainder = a % b;
  return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
}
static inline int32_t PowIntOf(int32_t base, int32_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : base != -1 ? 0 : (exponent & 1) != 0 ? -1 : 1;
  uint32_t result = 1;
  uint32_t square = static_cast<uint32_t>(base);
  for (auto rest = static_cast<uint32_t>(exponent); rest != 0; rest >>= 1) {
    if ((rest & 1) != 0) result *= square;
    square *= square;
  }
  return static_cast<int32_t>(result);
}

// clang-format off
constexpr ScalarKernel KernelOf(Scalar scalar) {
  switch (scalar) {
    case Scalar::kCopy: return Map<Identity>::Kernel;
    case Scalar::kAdd: return Map<Add>::Kernel;
    case Scalar::kSub: return Map<Sub>::Kernel;
    case Scalar::kMul: return Map<Mul>::Kernel;
    case Scalar::kDiv: return Map<Div>::Kernel;
    case Scalar::kMaximum: return Map<Max>::Kernel;
    case Scalar::kMinimum: return Map<Min>::Kernel;
    case Scalar::kPow: return Map<Pow>::Kernel;
    case Scalar::kMod: return Each2<ModOf>;
    case Scalar::kFloorDiv: return Map<FloorDiv>::Kernel;
    case Scalar::kSquaredDifference: return Map<SquaredDifference>::Kernel;
    case Scalar::kAtan2: return Map<Atan2>::Kernel;
    case Scalar::kPrelu: return Map<Leaky>::Kernel;
    case Scalar::kMulAdd: return Map<MulAdd>::Kernel;
    case Scalar::kEqual: return Map<Equal>::Kernel;
    case Scalar::kNotEqual: return Map<NotEqual>::Kernel;
    case Scalar::kLess: return Map<Less>::Kernel;
    case Scalar::kLessEqual: return Map<LessEqual>::Kernel;
    case Scalar::kGreater: return Map<Greater>::Kernel;
    case Scalar::kGreaterEqual: return Map<GreaterEqual>::Kernel;
    case Scalar::kNeg: return Map<Neg>::Kernel;
    case Scalar::kAbs: return Map<Abs>::Kernel;
    case Scalar::kSquare: return Map<Square>::Kernel;
    case Scalar::kSqrt: return Map<Sqrt>::Kernel;
    case Scalar::kRsqrt: return Map<Rsqrt>::Kernel;
    case Scalar::kReciprocal: return Map<Reciprocal>::Kernel;
    case Scalar::kExp: return Map<Exp>::Kernel;
    case Scalar::kExpm1: return Map<Expm1>::Kernel;
    case Scalar::kLog: return Map<Log>::Kernel;
    case Scalar::kLog1p: return Map<Log1p>::Kernel;
    case Scalar::kSin: return Map<Sin>::Kernel;
    case Scalar::kCos: return Map<Cos>::Kernel;
    case Scalar::kTan: return Map<Tan>::Kernel;
    case Scalar::kAsin: return Map<Asin>::Kernel;
    case Scalar::kAcos: return Map<Acos>::Kernel;
    case Scalar::kAtan: return Map<Atan>::Kernel;
    case Scalar::kSinh: return Map<Sinh>::Kernel;
    case Scalar::kCosh: return Map<Cosh>::Kernel;
    case Scalar::kTanh: return Map<Tanh>::Kernel;
    case Scalar::kAsinh: return Map<Asinh>::Kernel;
    case Scalar::kAcosh: return Map<Acosh>::Kernel;
    case Scalar::kAtanh: return Map<Atanh>::Kernel;
    case Scalar::kErf: return Map<Erf>::Kernel;
    case Scalar::kSigmoid: return Map<Sigmoid>::Kernel;
    case Scalar::kSoftplus: return Map<Softplus>::Kernel;
    case Scalar::kRelu: return Map<Relu>::Kernel;
    case Scalar::kRelu6: return Map<Relu6>::Kernel;
    case Scalar::kElu: return Map<Elu>::Kernel;
    case Scalar::kSelu: return Map<Selu>::Kernel;
    case Scalar::kSign: return Map<Sign>::Kernel;
    case Scalar::kFloor: return Map<Floor>::Kernel;
    case Scalar::kCeil: return Map<Ceil>::Kernel;
    case Scalar::kRound: return Map<RoundEven>::Kernel;
    case Scalar::kStep: return Map<StepAt>::Kernel;
    case Scalar::kLeakyRelu: return Map<Leaky>::Kernel;
    case Scalar::kIsNan: return Map<IsNan>::Kernel;
    case Scalar::kIsInf: return Map<IsInf>::Kernel;
    case Scalar::kIsFinite: return Map<IsFinite>::Kernel;
    case Scalar::kGeluErf: return Map<GeluErf>::Kernel;
    case Scalar::kGeluTanh: return Map<GeluTanh>::Kernel;
    case Scalar::kSilu: return Map<Silu>::Kernel;
    case Scalar::kHardSwish: return Map<HardSwish>::Kernel;
    case Scalar::kHardSigmoid: return Map<HardSigmoid>::Kernel;
    case Scalar::kAddInt: return Map<AddInt>::Kernel;
    case Scalar::kSubInt: return Map<SubInt>::Kernel;
    case Scalar::kMulInt: return Map<MulInt>::Kernel;
    case Scalar::kMaximumInt: return Map<MaximumInt>::Kernel;
    case Scalar::kMinimumInt: return Map<MinimumInt>::Kernel;
    case Scalar::kFloorDivInt: return EachInt2<FloorDivIntOf>;
    case Scalar::kTruncateDivInt: return EachInt2<TruncateDivIntOf>;
    case Scalar::kModInt: return EachInt2<ModIntOf>;
    case Scalar::kSquaredDifferenceInt: return Map<SquaredDifferenceInt>::Kernel;
    case Scalar::kPowInt: return EachInt2<PowIntOf>;
    case Scalar::kEqualInt: return Map<EqualInt>::Kernel;
    case Scalar::kNotEqualInt: return Map<NotEqualInt>::Kernel;
    case Scalar::kLessInt: return Map<LessInt>::Kernel;
    case Scalar::kLessEqualInt: return Map<LessEqualInt>::Kernel;
    case Scalar::kGreaterInt: return Map<GreaterInt>::Kernel;
    case Scalar::kGreaterEqualInt: return Map<GreaterEqualInt>::Kernel;
    case Scalar::kAnd: return Map<And>::Kernel;
    case Scalar::kOr: return Map<Or>::Kernel;
    case Scalar::kXor: return Map<Xor>::Kernel;
    case Scalar::kNot: return Map<Not>::Kernel;
    case Scalar::kNegInt: return Map<NegInt>::Kernel;
    case Scalar::kAbsInt: return Map<AbsInt>::Kernel;
    case Scalar::kSignInt: return Map<SignInt>::Kernel;
    case Scalar::kCopyInt: return Map<IdentityInt>::Kernel;
    case Scalar::kSelect: return Map<Select>::Kernel;
    case Scalar::kSelectInt: return Map<SelectInt>::Kernel;
    case Scalar::kToFloat: return Map<ToFloat>::Kernel;
    case Scalar::kToInt: return Map<ToInt>::Kernel;
    case Scalar::kToBool: return Map<ToBool>::Kernel;
    case Scalar::kToBoolInt: return Map<ToBoolInt>::Kernel;
    case Scalar::kClip: return Map<Clip>::Kernel;
    case Scalar::kEluGrad: return Map<EluGrad>::Kernel;
  }
  return nullptr;
}
// clang-format on

// The switch makes the compiler name a scalar that has no kernel; the table is what runs.
struct ScalarTable {
  struct Entry {
    ScalarKernel kernel = nullptr;
    int arity = 0;
  } of[kScalars] = {};
  constexpr ScalarTable() {
    for (int i = 0; i < kScalars; ++i) {
      of[i].kernel = KernelOf(static_cast<Scalar>(i));
      while (kScalarTypes[i].takes[of[i].arity] != 0) ++of[i].arity;
    }
  }
};
static constexpr ScalarTable kScalarTable;

}  // namespace graviton::GRAVITON_NS
