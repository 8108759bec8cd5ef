#include "kernels/reduce/arg_reduce.h"
#include "kernels/reduce/fold-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

// Order::Beats(a, b): a comes before b in the order that the first of the best is wanted of. A
// number beats NaN. For vectors and single elements alike.
struct Largest {
  template <class T>
  static auto Beats(T a, T b) {
    return (a > b) | ((a == a) & (b != b));
  }
};
struct Smallest {
  template <class T>
  static auto Beats(T a, T b) {
    return (a < b) | ((a == a) & (b != b));
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

// The better of two candidates a lane; of equal ones that with the lower index.
template <class Order, class E>
inline Best<E> BetterOf(const Best<E>& a, const Best<E>& b) {
  const Vi beats = Order::Beats(b.value, a.value);
  const Vi tie = ~(beats | Order::Beats(a.value, b.value));
  const Vi take = beats | (tie & (b.index < a.index));
  return {take ? b.value : a.value, take ? b.index : a.index};
}

template <class Order, class E, size_t kDistance = kLanes / 2>
inline int32_t FoldLanes(const Best<E>& best) {
  if constexpr (kDistance == 0) {
    return best.index[0];
  } else {
    const Best<E> other = {SwapLanes<kDistance>(best.value), SwapLanes<kDistance>(best.index)};
    return FoldLanes<Order, E, kDistance / 2>(BetterOf<Order, E>(best, other));
  }
}

inline Vi Counting() {
  int32_t lanes[kLanes];
  for (size_t i = 0; i < kLanes; ++i) lanes[i] = static_cast<int32_t>(i);
  Vi v;
  std::memcpy(&v, lanes, sizeof(v));
  return v;
}

template <class Order, class E>
inline int32_t ArgRow(const E* x, size_t n) {
  if (n < 2 * kLanes) {
    size_t at = 0;
    for (size_t i = 1; i < n; ++i) at = Order::Beats(x[i], x[at]) ? i : at;
    return static_cast<int32_t>(at);
  }
  // Two chains of compare and blend; with the overlapping last vector an index may come twice,
  // which does not change the first of the best.
  const Vi counting = Counting();
  Best<E> even = {Load(x), counting};
  Best<E> odd = {Load(x + kLanes), counting + static_cast<int32_t>(kLanes)};
  size_t i = 2 * kLanes;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    Offer<Order, E>(even, Load(x + i), counting + static_cast<int32_t>(i));
    Offer<Order, E>(odd, Load(x + i + kLanes), counting + static_cast<int32_t>(i + kLanes));
  }
  for (; i < n; i += kLanes) {
    const size_t at = i + kLanes <= n ? i : n - kLanes;
    Offer<Order, E>(even, Load(x + at), counting + static_cast<int32_t>(at));
  }
  return FoldLanes<Order, E>(BetterOf<Order, E>(even, odd));
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
