// y[o, r, i] = Σ (or Π) of x[o, s, i] over s ≤ r; exclusive: s < r; reverse: s ≥ r (s > r)
#ifndef GRAVITON_KERNELS_SCAN_CUMULATIVE_H_
#define GRAVITON_KERNELS_SCAN_CUMULATIVE_H_

#include <cstddef>

#include "simd/dispatch.h"

namespace graviton {

inline constexpr int kCumulativeKinds = 2;
inline constexpr int kCumulativeTypes = 2;  // float32, int32

struct CumulativePiece {
  const void* x;
  void* y;
  size_t outer;
  size_t length;
  size_t columns;
  size_t row_elems;    // from one r to the next
  size_t outer_elems;  // from one outer index to the next
  bool exclusive;
  bool reverse;
};

struct CumulativeKernels {
  void (*run[kCumulativeKinds][kCumulativeTypes])(const CumulativePiece&);
};

GRAVITON_DISPATCH(CumulativeKernels, kCumulative)

}  // namespace graviton

#endif  // GRAVITON_KERNELS_SCAN_CUMULATIVE_H_
