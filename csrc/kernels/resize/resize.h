#ifndef GRAVITON_KERNELS_RESIZE_RESIZE_H_
#define GRAVITON_KERNELS_RESIZE_RESIZE_H_

// y[n, h, w, c] = x[n, row(h), col(w), c]  (nearest), or with top(c) = x[n, lower row(h), ·, c]
// mixed over the two columns around col(w), bottom(c) likewise of the upper row:
//                 top + (bottom − top) · fraction(h)  (bilinear)
// Positions as tfjs-backend-cpu 4.22 computes them, in double precision.

#include <cstdint>

#include "simd/dispatch.h"

namespace graviton {

// Where an output row or column reads.
struct ResizePosition {
  int64_t low;
  int64_t high;
  float fraction;  // of the way from low to high; can be below 0 or above 1 at an edge, where low =
                   // high
};

struct ResizeRow {
  const float* top;
  const float* bottom;
  float fraction;
  const ResizePosition* cols;
  int64_t out_w;
  int64_t channels;
  float* y;
};

struct ResizeKernels {
  void (*bilinear)(const ResizeRow& row);
};
GRAVITON_DISPATCH(ResizeKernels, kResizeKernels)

}  // namespace graviton

#endif  // GRAVITON_KERNELS_RESIZE_RESIZE_H_
