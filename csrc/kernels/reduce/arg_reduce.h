// out[o, i] = the first r of the largest (smallest) x[o, r, i]; NaN loses against any number.
#ifndef GRAVITON_KERNELS_REDUCE_ARG_REDUCE_H_
#define GRAVITON_KERNELS_REDUCE_ARG_REDUCE_H_

#include <cstddef>
#include <cstdint>

#include "simd/dispatch.h"

namespace graviton {

inline constexpr int kArgReduceKinds = 2;
inline constexpr int kArgReduceTypes = 3;  // float32, int32, bool

struct ArgReducePiece {
  const void* x;
  int32_t* out;
  size_t outer;
  size_t reduce;  // at least 1
  size_t columns;
  size_t row_elems;    // from one r to the next
  size_t outer_elems;  // from one outer index of x to the next
  size_t out_elems;    // from one outer index of `out` to the next
  int32_t first;       // the r of the piece's first row
};

struct ArgReduceKernels {
  void (*run[kArgReduceKinds][kArgReduceTypes])(const ArgReducePiece&);
};

GRAVITON_DISPATCH(ArgReduceKernels, kArgReduce)

}  // namespace graviton

#endif  // GRAVITON_KERNELS_REDUCE_ARG_REDUCE_H_
