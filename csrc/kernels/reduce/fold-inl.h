// What a reduction folds with, and sums of contiguous rows. Included once per instruction-set level
// by the families that reduce (simd/foreach_target.h).
#include "simd/math-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

typedef uint8_t Vb __attribute__((vector_size(GRAVITON_VECTOR_BYTES)));

// A fold: its elements, its vectors, what an empty one gives and how two values become one. Combine
// takes vectors and single elements alike.
template <class E, class V>
struct FoldOf {
  using Elem = E;
  using Vector = V;
  static constexpr size_t kWidth = sizeof(V) / sizeof(E);
  template <class T>
  static T Lift(T x) {
    return x;
  }
};

struct SumFold : FoldOf<float, Vf> {
  static constexpr float kNeutral = 0;
  template <class T>
  static T Combine(T a, T b) {
    return a + b;
  }
};
struct ProductFold : FoldOf<float, Vf> {
  static constexpr float kNeutral = 1;
  template <class T>
  static T Combine(T a, T b) {
    return a * b;
  }
};
// NaN stays once it has come.
struct MaxFold : FoldOf<float, Vf> {
  static constexpr float kNeutral = -__builtin_inff();
  static Vf Combine(Vf a, Vf b) { return Max(a, b); }
  static float Combine(float a, float b) { return a > b || a != a ? a : b; }
};
struct MinFold : FoldOf<float, Vf> {
  static constexpr float kNeutral = __builtin_inff();
  static Vf Combine(Vf a, Vf b) { return Min(a, b); }
  static float Combine(float a, float b) { return a < b || a != a ? a : b; }
};
// Unsigned, so that overflow wraps as TensorFlow's does.
struct SumIntFold : FoldOf<uint32_t, Vu> {
  static constexpr uint32_t kNeutral = 0;
  template <class T>
  static T Combine(T a, T b) {
    return a + b;
  }
};
struct ProductIntFold : FoldOf<uint32_t, Vu> {
  static constexpr uint32_t kNeutral = 1;
  template <class T>
  static T Combine(T a, T b) {
    return a * b;
  }
};
struct MaxIntFold : FoldOf<int32_t, Vi> {
  static constexpr int32_t kNeutral = INT32_MIN;
  template <class T>
  static T Combine(T a, T b) {
    return (b > a) ? b : a;
  }
};
struct MinIntFold : FoldOf<int32_t, Vi> {
  static constexpr int32_t kNeutral = INT32_MAX;
  template <class T>
  static T Combine(T a, T b) {
    return (b < a) ? b : a;
  }
};
// A bool that is neither 0 nor 1 can come from a caller's typed array: any bit set is true.
struct BoolFold : FoldOf<uint8_t, Vb> {
  template <class T>
  static T Lift(T x) {
    return (T)(x != 0) & 1;  // NOLINT: a conversion for elements, a reinterpretation for vectors
  }
};
struct AnyFold : BoolFold {
  static constexpr uint8_t kNeutral = 0;
  template <class T>
  static T Combine(T a, T b) {
    return a | b;
  }
};
struct AllFold : BoolFold {
  static constexpr uint8_t kNeutral = 1;
  template <class T>
  static T Combine(T a, T b) {
    return a & b;
  }
};

template <class V, class E>
inline V LoadAs(const E* p) {
  V v;
  std::memcpy(&v, p, sizeof(V));
  return v;
}

template <class F>
inline typename F::Vector SplatNeutral() {
  return F::kNeutral - typename F::Vector{};
}

// Lane i of the result is lane i ^ kDistance of v; lanes of four bytes.
template <size_t kDistance, class V>
inline V SwapLanes(V v) {
#if defined(__clang__)
  V swapped;
  for (size_t i = 0; i < kLanes; ++i) swapped[i] = v[i ^ kDistance];
  return swapped;
#else
  Vi from;
  for (size_t i = 0; i < kLanes; ++i) from[i] = static_cast<int32_t>(i ^ kDistance);
  return __builtin_shuffle(v, from);
#endif
}

template <class F, size_t kDistance = kLanes / 2>
inline typename F::Elem FoldWideLanes(typename F::Vector v) {
  if constexpr (kDistance == 0) {
    return v[0];
  } else {
    return FoldWideLanes<F, kDistance / 2>(F::Combine(v, SwapLanes<kDistance>(v)));
  }
}

template <class F>
inline typename F::Elem FoldLanes(typename F::Vector v) {
  if constexpr (sizeof(typename F::Elem) == 4) {
    return FoldWideLanes<F>(v);
  } else {
    // Eight bools at a time: any and all work on bits.
    uint64_t words[sizeof(v) / sizeof(uint64_t)];
    std::memcpy(words, &v, sizeof(v));
    uint64_t all = words[0];
    for (const uint64_t word : words) all = F::Combine(all, word);
    for (int bits = 32; bits >= 8; bits /= 2) all = F::Combine(all, all >> bits);
    return static_cast<typename F::Elem>(all);
  }
}

// Joins block results as a binary counter does: level i holds the fold of 2^i blocks.
template <class F, class T>
class Tree {
 public:
  void Add(T value) {
    size_t level = 0;
    for (size_t n = blocks_; (n & 1) != 0; n >>= 1) value = F::Combine(levels_[level++], value);
    levels_[level] = value;
    ++blocks_;
  }
  // Of at least one block.
  T Total() const {
    size_t level = 0;
    while (((blocks_ >> level) & 1) == 0) ++level;
    T total = levels_[level];
    for (++level; (blocks_ >> level) != 0; ++level) {
      if (((blocks_ >> level) & 1) != 0) total = F::Combine(levels_[level], total);
    }
    return total;
  }

 private:
  T levels_[40];  // blocks of at least 64 elements: more than any buffer holds
  size_t blocks_ = 0;
};

template <class E, size_t kWidth>
struct ZerosThenOnes {
  E values[2 * kWidth] = {};
  constexpr ZerosThenOnes() {
    for (size_t i = kWidth; i < 2 * kWidth; ++i) values[i] = 1;
  }
};

// True in the last n lanes.
template <class F>
inline auto LastLanes(size_t n) {
  using V = typename F::Vector;
  static constexpr ZerosThenOnes<typename F::Elem, F::kWidth> kTable;
  return LoadAs<V>(kTable.values + n) != V{};
}

struct Unchanged {
  template <class T>
  T operator()(T x) const {
    return x;
  }
};

// A row's result is waited for, and with it the reads of the next row, unless those are asked for
// so many elements beforehand: 57 instead of 161 ns for the largest of 256 elements from memory at
// the baseline.
constexpr size_t kAhead = 512;
constexpr size_t kLineBytes = 64;

// Four accumulators hide the latency of an addition (4 cycles, two a cycle).
constexpr size_t kRowBlockVectors = 64;

// The fold of map(x[i]), i < n ≤ kRowBlockVectors vectors, by lane; n is at least one vector.
template <class F, class Map>
inline typename F::Vector FoldBlock(const typename F::Elem* x, size_t n, Map map) {
  using V = typename F::Vector;
  constexpr size_t kWidth = F::kWidth;
  V sums[4] = {SplatNeutral<F>(), SplatNeutral<F>(), SplatNeutral<F>(), SplatNeutral<F>()};
  size_t i = 0;
  for (; i + 4 * kWidth <= n; i += 4 * kWidth) {
#pragma GCC unroll 4
    for (size_t at = 0; at < 4 * kWidth; at += kLineBytes / sizeof(*x)) {
      __builtin_prefetch(x + i + kAhead + at);
    }
#pragma GCC unroll 4
    for (size_t j = 0; j < 4; ++j) {
      sums[j] = F::Combine(sums[j], F::Lift(map(LoadAs<V>(x + i + j * kWidth))));
    }
  }
  for (; i + kWidth <= n; i += kWidth) {
    sums[0] = F::Combine(sums[0], F::Lift(map(LoadAs<V>(x + i))));
  }
  if (i < n) {
    // The last whole vector again, without the lanes that have been counted.
    const V last = F::Lift(map(LoadAs<V>(x + n - kWidth)));
    sums[1] = F::Combine(sums[1], LastLanes<F>(n - i) ? last : SplatNeutral<F>());
  }
  return F::Combine(F::Combine(sums[0], sums[1]), F::Combine(sums[2], sums[3]));
}

// The fold of map(x[i]) over a contiguous row.
template <class F, class Map>
inline typename F::Elem FoldRow(const typename F::Elem* x, size_t n, Map map) {
  constexpr size_t kBlock = kRowBlockVectors * F::kWidth;
  if (n < F::kWidth) {
    typename F::Elem total = F::kNeutral;
    for (size_t i = 0; i < n; ++i) total = F::Combine(total, F::Lift(map(x[i])));
    return total;
  }
  if (n <= kBlock) return FoldLanes<F>(FoldBlock<F>(x, n, map));
  Tree<F, typename F::Vector> tree;
  size_t i = 0;
  for (; n - i >= 2 * kBlock; i += kBlock) tree.Add(FoldBlock<F>(x + i, kBlock, map));
  // What is left is halved, so that no block is shorter than a vector.
  const size_t half = (n - i) / 2 / F::kWidth * F::kWidth;
  tree.Add(FoldBlock<F>(x + i, half, map));
  tree.Add(FoldBlock<F>(x + i + half, n - i - half, map));
  return FoldLanes<F>(tree.Total());
}

}  // namespace
}  // namespace graviton::GRAVITON_NS
