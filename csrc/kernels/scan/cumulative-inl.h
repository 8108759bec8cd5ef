#include "kernels/scan/cumulative.h"
#include "simd/vector-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

struct Sum {
  static constexpr int kNeutral = 0;
  template <class T>
  static T Combine(T a, T b) {
    return a + b;
  }
};
struct Product {
  static constexpr int kNeutral = 1;
  template <class T>
  static T Combine(T a, T b) {
    return a * b;
  }
};

// Unsigned for int32, so that overflow wraps as TensorFlow's does.
template <class E>
struct VectorOf;
template <>
struct VectorOf<float> {
  using Type = Vf;
};
template <>
struct VectorOf<uint32_t> {
  using Type = Vu;
};

template <class V, class E>
inline V LoadAs(const E* p) {
  V v;
  std::memcpy(&v, p, sizeof(V));
  return v;
}

// Lane i of the result is lane i − kShift of v, or of `before` (its last lanes) where i < kShift;
// reversed, lane i + kShift of v, or of `before` (its first lanes).
template <size_t kShift, bool kReverse, class V>
inline V Shift(V v, V before) {
  Vi from;
  int32_t lanes[kLanes];
  for (size_t i = 0; i < kLanes; ++i) {
    lanes[i] = static_cast<int32_t>(kReverse ? i + kShift : kLanes + i - kShift);
  }
  std::memcpy(&from, lanes, sizeof(from));
#if defined(__clang__)
  V both[2] = {kReverse ? v : before, kReverse ? before : v};
  V shifted;
  std::memcpy(&shifted, reinterpret_cast<const char*>(both) + sizeof(float) * lanes[0], sizeof(V));
  return shifted;
#else
  return kReverse ? __builtin_shuffle(v, before, from) : __builtin_shuffle(before, v, from);
#endif
}

// Running folds within a vector in log2(kLanes) steps (Hillis & Steele 1986).
template <class Op, bool kReverse, size_t kShift = 1, class V>
inline V ScanLanes(V v) {
  if constexpr (kShift < kLanes) {
    constexpr auto kNeutral = Op::kNeutral;
    v = Op::Combine(Shift<kShift, kReverse>(v, kNeutral - V{}), v);
    return ScanLanes<Op, kReverse, 2 * kShift>(v);
  } else {
    return v;
  }
}

// Element by element, in the order that TensorFlow multiplies and rounds.
template <class Op, bool kReverse, class E>
inline void ScanSlowly(const E* x, E* y, size_t n, bool exclusive, E carry) {
  for (size_t i = 0; i < n; ++i) {
    const size_t at = kReverse ? n - 1 - i : i;
    const E next = Op::Combine(carry, x[at]);
    y[at] = exclusive ? carry : next;
    carry = next;
  }
}

template <class Op, bool kReverse, class E>
inline void ScanRow(const E* x, E* y, size_t n, bool exclusive) {
  using V = typename VectorOf<E>::Type;
  E carry = Op::kNeutral;
  size_t i = 0;
  // Products stay in order: 0 · ∞ and overflow would come out differently in another.
  if (__is_same(Op, Sum)) {
    for (; i + kLanes <= n; i += kLanes) {
      const size_t at = kReverse ? n - i - kLanes : i;
      const V before = carry - V{};
      const V scanned = before + ScanLanes<Op, kReverse>(LoadAs<V>(x + at));
      const V result = exclusive ? Shift<1, kReverse>(scanned, before) : scanned;
      std::memcpy(y + at, &result, sizeof(V));
      carry = scanned[kReverse ? 0 : kLanes - 1];
    }
  }
  ScanSlowly<Op, kReverse>(kReverse ? x : x + i, kReverse ? y : y + i, n - i, exclusive, carry);
}

// A vector of columns, walked down.
template <class Op, class E>
inline void ScanColumns(const CumulativePiece& p, const E* x, E* y) {
  using V = typename VectorOf<E>::Type;
  V carry = Op::kNeutral - V{};
  for (size_t i = 0; i < p.length; ++i) {
    const size_t at = (p.reverse ? p.length - 1 - i : i) * p.row_elems;
    const V next = Op::Combine(carry, LoadAs<V>(x + at));
    const V result = p.exclusive ? carry : next;
    std::memcpy(y + at, &result, sizeof(V));
    carry = next;
  }
}

// A few columns, such as the channels of an image.
template <class Op, class E>
inline void ScanColumn(const CumulativePiece& p, const E* x, E* y) {
  E carry = Op::kNeutral;
  for (size_t i = 0; i < p.length; ++i) {
    const size_t at = (p.reverse ? p.length - 1 - i : i) * p.row_elems;
    const E next = Op::Combine(carry, x[at]);
    y[at] = p.exclusive ? carry : next;
    carry = next;
  }
}

template <class Op, class E>
void Run(const CumulativePiece& p) {
  const auto* x = static_cast<const E*>(p.x);
  auto* y = static_cast<E*>(p.y);
  for (size_t o = 0; o < p.outer; ++o, x += p.outer_elems, y += p.outer_elems) {
    if (p.row_elems == 1) {
      p.reverse ? ScanRow<Op, true>(x, y, p.length, p.exclusive)
                : ScanRow<Op, false>(x, y, p.length, p.exclusive);
      continue;
    }
    size_t c = 0;
    for (; c + kLanes <= p.columns; c += kLanes) ScanColumns<Op>(p, x + c, y + c);
    for (; c < p.columns; ++c) ScanColumn<Op>(p, x + c, y + c);
  }
}

}  // namespace

// By kind (cumulativeKinds in src/ops/reduction.ts) and type.
const CumulativeKernels kCumulative = {{
    {Run<Sum, float>, Run<Sum, uint32_t>},
    {Run<Product, float>, Run<Product, uint32_t>},
}};

}  // namespace graviton::GRAVITON_NS
