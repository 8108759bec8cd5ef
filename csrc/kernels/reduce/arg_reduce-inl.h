#include "kernels/reduce/arg_reduce.h"
#include "kernels/reduce/fold-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

// Order::Beats(a, b): a comes before b in the order that the first of the best is wanted of. A
// number beats NaN. For vectors and single elements alike.
// Order::Better: the better of a and b where b is no NaN. What kWorst is, nothing is worse than.
struct Largest {
  static constexpr float kWorst = -__builtin_inff();
  static constexpr int32_t kWorstInt = INT32_MIN;
  template <class T>
  static auto Beats(T a, T b) {
    return (a > b) | ((a == a) & (b != b));
  }
  template <class T>
  static T Better(T a, T b) {
    return a > b ? a : b;
  }
};
struct Smallest {
  static constexpr float kWorst = __builtin_inff();
  static constexpr int32_t kWorstInt = INT32_MAX;
  template <class T>
  static auto Beats(T a, T b) {
    return (a < b) | ((a == a) & (b != b));
  }
  template <class T>
  static T Better(T a, T b) {
    return a < b ? a : b;
  }
};

template <class E>
struct VectorOf;
template <>
struct VectorOf<float> {
  using Type = Vf;
};
template <>
struct VectorOf<int32_t> {
  using Type = Vi;
};

// The best of each of kLanes columns, and where it was.
template <class E>
struct Best {
  typename VectorOf<E>::Type value;
  Vi index;
};

template <class Order, class E>
inline void Offer(Best<E>& best, typename VectorOf<E>::Type value, Vi index) {
  const Vi beats = Order::Beats(value, best.value);
  best.value = beats ? value : best.value;
  best.index = beats ? index : best.index;
}

template <class Order>
inline float WorstOf(float) {
  return Order::kWorst;
}
template <class Order>
inline int32_t WorstOf(int32_t) {
  return Order::kWorstInt;
}

template <class Order, size_t kDistance = kLanes / 2, class V>
inline auto FoldLanes(V v) {
  if constexpr (kDistance == 0) {
    return v[0];
  } else {
    return FoldLanes<Order, kDistance / 2>(Order::Better(SwapLanes<kDistance>(v), v));
  }
}

// The best number of x[begin, end), or the worst there is where all are NaN. The last vector
// reaches back where they are no multiple of vectors: x has at least one vector.
template <class Order, class E>
inline E BestIn(const E* x, size_t begin, size_t end) {
  using V = typename VectorOf<E>::Type;
  V best[4];
  for (V& v : best) v = Splat(WorstOf<Order>(E()));
  size_t i = begin;
  for (; i + 4 * kLanes <= end; i += 4 * kLanes) {
#pragma GCC unroll 4
    for (size_t j = 0; j < 4; ++j) __builtin_prefetch(x + i + kAhead + j * kLanes);
#pragma GCC unroll 4
    for (size_t j = 0; j < 4; ++j) best[j] = Order::Better(Load(x + i + j * kLanes), best[j]);
  }
  for (; i < end; i += kLanes) {
    const size_t at = i + kLanes <= end ? i : end - kLanes;
    best[0] = Order::Better(Load(x + at), best[0]);
  }
  best[0] = Order::Better(Order::Better(best[2], best[0]), Order::Better(best[3], best[1]));
  return FoldLanes<Order>(best[0]);
}

// The first lane that is set in a comparison's result, or kLanes.
inline size_t FirstLane(Vi mask) {
#if GRAVITON_VECTOR_BYTES == 64
  return static_cast<size_t>(__builtin_ctz(_mm512_movepi32_mask((__m512i)mask) | 1u << kLanes));
#elif GRAVITON_VECTOR_BYTES == 32
  return static_cast<size_t>(
      __builtin_ctz(static_cast<unsigned>(_mm256_movemask_ps((__m256)mask)) | 1u << kLanes));
#elif defined(__aarch64__)
  size_t lane = 0;
  while (lane < kLanes && mask[lane] == 0) ++lane;
  return lane;
#else
  return static_cast<size_t>(
      __builtin_ctz(static_cast<unsigned>(_mm_movemask_ps((__m128)mask)) | 1u << kLanes));
#endif
}

// The first element from `begin` on that equals `value`; 0 where none does: all are NaN.
template <class E>
inline size_t FirstOf(const E* x, size_t begin, size_t n, E value) {
  size_t i = begin;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    const Vi low = Load(x + i) == value;
    const Vi high = Load(x + i + kLanes) == value;
    if (!Any(low | high)) continue;
    const size_t lane = FirstLane(low);
    return lane < kLanes ? i + lane : i + kLanes + FirstLane(high);
  }
  while (i < n && x[i] != value) ++i;
  return i < n ? i : 0;
}

// What of a row is looked through for its best number before it is known whether that is worth
// finding: it stays in L1.
constexpr size_t kArgBlock = 2048;

// To carry indices beside the best values takes three instructions more a vector than to find the
// best first and then where it is.
template <class Order, class E>
inline int32_t ArgRow(const E* x, size_t n) {
  if (n < kLanes) {
    size_t at = 0;
    for (size_t i = 1; i < n; ++i) at = Order::Beats(x[i], x[at]) ? i : at;
    return static_cast<int32_t>(at);
  }
  E best = WorstOf<Order>(E());
  size_t block = 0;
  for (size_t begin = 0; begin < n; begin += kArgBlock) {
    const size_t end = begin + kArgBlock < n ? begin + kArgBlock : n;
    const E here = BestIn<Order>(x, begin, end);
    if (Order::Beats(here, best)) {
      best = here;
      block = begin;
    }
  }
  return static_cast<int32_t>(FirstOf(x, block, n, best));
}

// kVectors vectors of columns, walked down together.
template <class Order, class E, size_t kVectors>
inline void ArgColumns(const E* x, int32_t* out, size_t reduce, size_t row_elems, int32_t first) {
  Best<E> best[kVectors];
  for (size_t j = 0; j < kVectors; ++j) best[j] = {Load(x + j * kLanes), Splat(first)};
  for (size_t r = 1; r < reduce; ++r) {
    const E* row = x + r * row_elems;
    const Vi index = Splat(first + static_cast<int32_t>(r));
#pragma GCC unroll 4
    for (size_t j = 0; j < kVectors; ++j) Offer<Order, E>(best[j], Load(row + j * kLanes), index);
  }
  for (size_t j = 0; j < kVectors; ++j) Store(out + j * kLanes, best[j].index);
}

template <class Order, class E>
inline void ArgColumn(const E* x, int32_t* out, size_t reduce, size_t row_elems, int32_t first) {
  size_t at = 0;
  for (size_t r = 1; r < reduce; ++r) {
    at = Order::Beats(x[r * row_elems], x[at * row_elems]) ? r : at;
  }
  *out = first + static_cast<int32_t>(at);
}

template <class Order, class E>
void Run(const ArgReducePiece& p) {
  const auto* x = static_cast<const E*>(p.x);
  int32_t* out = p.out;
  for (size_t o = 0; o < p.outer; ++o, x += p.outer_elems, out += p.out_elems) {
    if (p.row_elems == 1) {
      *out = p.first + ArgRow<Order>(x, p.reduce);
      continue;
    }
    size_t c = 0;
    for (; c + 4 * kLanes <= p.columns; c += 4 * kLanes) {
      ArgColumns<Order, E, 4>(x + c, out + c, p.reduce, p.row_elems, p.first);
    }
    for (; c + kLanes <= p.columns; c += kLanes) {
      ArgColumns<Order, E, 1>(x + c, out + c, p.reduce, p.row_elems, p.first);
    }
    if (c < p.columns && p.columns >= kLanes) {
      c = p.columns - kLanes;
      ArgColumns<Order, E, 1>(x + c, out + c, p.reduce, p.row_elems, p.first);
    } else {
      for (; c < p.columns; ++c) {
        ArgColumn<Order>(x + c, out + c, p.reduce, p.row_elems, p.first);
      }
    }
  }
}

// The first true (false) one; where there is none, all are equal and the first wins.
template <bool kWanted>
void RunBool(const ArgReducePiece& p) {
  const auto* x = static_cast<const uint8_t*>(p.x);
  int32_t* out = p.out;
  for (size_t o = 0; o < p.outer; ++o, x += p.outer_elems, out += p.out_elems) {
    for (size_t c = 0; c < p.columns; ++c) {
      size_t r = 0;
      while (r < p.reduce && (x[r * p.row_elems + c] != 0) != kWanted) ++r;
      out[c] = p.first + static_cast<int32_t>(r < p.reduce ? r : 0);
    }
  }
}

}  // namespace

const ArgReduceKernels kArgReduce = {{
    {Run<Largest, float>, Run<Largest, int32_t>, RunBool<true>},
    {Run<Smallest, float>, Run<Smallest, int32_t>, RunBool<false>},
}};

}  // namespace graviton::GRAVITON_NS
