#include "kernels/reduce/fold-inl.h"
#include "kernels/reduce/reduce.h"

namespace graviton::GRAVITON_NS {
namespace {

template <class F, class T>
inline T Finish(T total, float divisor) {
  if constexpr (__is_same(F, SumFold)) return total / divisor;
  return total;
}

// sums[c] = fold of rows ≤ kReduceBlockRows rows; vector by vector of the strip. The last vector
// overlaps the one before it in x (`last`: where it starts), never in `sums`.
template <class F>
inline void FoldRows(const typename F::Elem* x, size_t rows, size_t row_elems, size_t vectors,
                     size_t last, typename F::Vector* sums) {
  using V = typename F::Vector;
  size_t r = 0;
  // Eight rows at a time: the sums are loaded and stored once for eight loads of x.
  for (; r + 8 <= rows; r += 8, x += 8 * row_elems) {
    for (size_t j = 0; j < vectors; ++j) {
      const auto* at = x + (j + 1 == vectors ? last : j * F::kWidth);
      V eight[8];
#pragma GCC unroll 8
      for (size_t k = 0; k < 8; ++k) eight[k] = F::Lift(LoadAs<V>(at + k * row_elems));
      const V left = F::Combine(F::Combine(eight[0], eight[1]), F::Combine(eight[2], eight[3]));
      const V right = F::Combine(F::Combine(eight[4], eight[5]), F::Combine(eight[6], eight[7]));
      const V sum = F::Combine(left, right);
      sums[j] = F::Combine(r == 0 ? SplatNeutral<F>() : sums[j], sum);
    }
  }
  for (; r < rows; ++r, x += row_elems) {
    for (size_t j = 0; j < vectors; ++j) {
      const V v = F::Lift(LoadAs<V>(x + (j + 1 == vectors ? last : j * F::kWidth)));
      sums[j] = F::Combine(r == 0 ? SplatNeutral<F>() : sums[j], v);
    }
  }
}

// One strip of at least a vector: out[c] = fold over r of x[r * row_elems + c].
template <class F>
inline void FoldStrip(const ReducePiece& p, const typename F::Elem* x, typename F::Elem* out) {
  using V = typename F::Vector;
  const size_t vectors = (p.columns + F::kWidth - 1) / F::kWidth;
  const size_t last = p.columns - F::kWidth;
  V* const base = static_cast<V*>(p.scratch);
  V* top = base;  // the next free level
  const auto merge = [&] {
    top -= vectors;
    for (size_t j = 0; j < vectors; ++j) top[j - vectors] = F::Combine(top[j - vectors], top[j]);
  };
  size_t blocks = 0;
  for (size_t r = 0; r < p.reduce; r += kReduceBlockRows) {
    const size_t rows = p.reduce - r < kReduceBlockRows ? p.reduce - r : kReduceBlockRows;
    FoldRows<F>(x + r * p.row_elems, rows, p.row_elems, vectors, last, top);
    top += vectors;
    for (size_t n = ++blocks; (n & 1) == 0; n >>= 1) merge();
  }
  if (blocks == 0) {
    for (size_t j = 0; j < vectors; ++j) base[j] = SplatNeutral<F>();
    top += vectors;
  }
  while (top != base + vectors) merge();
  for (size_t j = 0; j < vectors; ++j) {
    const V total = Finish<F>(base[j], p.divisor);
    std::memcpy(out + (j + 1 == vectors ? last : j * F::kWidth), &total, sizeof(V));
  }
}

// Strips narrower than a vector, one column at a time.
template <class F>
inline void FoldColumns(const ReducePiece& p, const typename F::Elem* x, typename F::Elem* out) {
  using E = typename F::Elem;
  for (size_t c = 0; c < p.columns; ++c) {
    const E* at = x + c;
    E total = F::kNeutral;
    if (p.reduce <= kReduceBlockRows) {
      for (size_t r = 0; r < p.reduce; ++r) total = F::Combine(total, F::Lift(at[r * p.row_elems]));
    } else {
      Tree<F, E> tree;
      for (size_t r = 0; r < p.reduce;) {
        E block = F::kNeutral;
        const size_t end = p.reduce - r < kReduceBlockRows ? p.reduce : r + kReduceBlockRows;
        for (; r < end; ++r) block = F::Combine(block, F::Lift(at[r * p.row_elems]));
        tree.Add(block);
      }
      total = tree.Total();
    }
    out[c] = Finish<F>(total, p.divisor);
  }
}

// Rows narrower than a vector but contiguous, such as the three channels of an image: as many rows
// as a vector has lanes make one wide row whose columns come round again after p.columns.
template <class F>
inline void FoldNarrow(const ReducePiece& p, const typename F::Elem* x, typename F::Elem* out) {
  using E = typename F::Elem;
  E wide[F::kWidth * F::kWidth];
  ReducePiece piece = p;
  piece.reduce = p.reduce / F::kWidth;
  piece.columns = piece.row_elems = F::kWidth * p.columns;
  piece.divisor = 1;
  FoldStrip<F>(piece, x, wide);
  const E* rest = x + piece.reduce * piece.row_elems;
  const size_t rest_rows = p.reduce % F::kWidth;
  for (size_t c = 0; c < p.columns; ++c) {
    E total = wide[c];
    for (size_t i = 1; i < F::kWidth; ++i) total = F::Combine(total, wide[i * p.columns + c]);
    E tail = F::kNeutral;
    for (size_t r = 0; r < rest_rows; ++r) {
      tail = F::Combine(tail, F::Lift(rest[r * p.columns + c]));
    }
    out[c] = Finish<F>(F::Combine(total, tail), p.divisor);
  }
}

template <class F>
void Run(const ReducePiece& p) {
  const auto* x = static_cast<const typename F::Elem*>(p.x);
  auto* out = static_cast<typename F::Elem*>(p.out);
  const size_t outer_elems = p.reduce * p.row_elems;
  const bool dense = p.columns == p.row_elems;
  for (size_t o = 0; o < p.outer; ++o, x += outer_elems, out += p.out_elems) {
    if (p.columns == 1 && dense) {
      *out = Finish<F>(FoldRow<F>(x, p.reduce, Unchanged()), p.divisor);
    } else if (p.columns >= F::kWidth) {
      FoldStrip<F>(p, x, out);
    } else if (dense && p.reduce >= F::kWidth) {
      FoldNarrow<F>(p, x, out);
    } else {
      FoldColumns<F>(p, x, out);
    }
  }
}

}  // namespace

// By kind (reduceKinds in src/ops/reduction.ts) and type. A mean is a sum with a divisor.
const ReduceKernels kReduce = {{
    {Run<SumFold>, Run<SumIntFold>, nullptr},
    {Run<SumFold>, nullptr, nullptr},
    {Run<ProductFold>, Run<ProductIntFold>, nullptr},
    {Run<MaxFold>, Run<MaxIntFold>, nullptr},
    {Run<MinFold>, Run<MinIntFold>, nullptr},
    {nullptr, nullptr, Run<AnyFold>},
    {nullptr, nullptr, Run<AllFold>},
}};

}  // namespace graviton::GRAVITON_NS
