// out[o, i] = kind over r of x[o, r, i]
//
// Sums add blocks of 64 to 128 terms and then the block sums in a binary tree, so the error bound
// is (block + log2(n)) ε Σ|x| instead of n ε Σ|x| (Higham, Accuracy and Stability, section 4.2).
#ifndef GRAVITON_KERNELS_REDUCE_REDUCE_H_
#define GRAVITON_KERNELS_REDUCE_REDUCE_H_

#include <cstddef>

#include "simd/dispatch.h"

namespace graviton {

inline constexpr int kReduceKinds = 7;
inline constexpr int kReduceTypes = 3;  // float32, int32, bool

// Columns that are accumulated together: their sums stay in L1 beside the rows that stream by.
inline constexpr size_t kReduceStripBytes = 4096;
inline constexpr size_t kReduceBlockRows = 128;

// One piece of the work: `columns` columns of every outer index.
struct ReducePiece {
  const void* x;
  void* out;
  size_t outer;
  size_t reduce;
  size_t columns;    // at most kReduceStripBytes of them
  size_t row_elems;  // from one r to the next; 1 where there is one column
  size_t out_elems;  // from one outer index of `out` to the next
  float divisor;     // of sums: 1, or for a mean the number of terms
  void* scratch;     // ReduceScratchBytes(reduce)
};

// Strips of partial results: one per level of the tree and one for the block at hand.
constexpr size_t ReduceScratchBytes(size_t reduce) {
  size_t levels = 2;
  for (size_t blocks = reduce / kReduceBlockRows; blocks > 0; blocks /= 2) ++levels;
  return levels * kReduceStripBytes;
}

struct ReduceKernels {
  void (*run[kReduceKinds][kReduceTypes])(const ReducePiece&);  // null: no such kind for the type
};

GRAVITON_DISPATCH(ReduceKernels, kReduce)

}  // namespace graviton

#endif  // GRAVITON_KERNELS_REDUCE_REDUCE_H_
