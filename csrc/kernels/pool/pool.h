#ifndef GRAVITON_KERNELS_POOL_POOL_H_
#define GRAVITON_KERNELS_POOL_POOL_H_

// y[n, h, w, c] = max or mean over the taps (i, j) that lie inside the image of
//                 x[n, h·s − p + d·i, w·s − p + d·j, c]
// A window with no tap inside gives -Inf or NaN (0 / 0), as tfjs-backend-cpu 4.22 does.

#include "kernels/conv/image.h"
#include "simd/dispatch.h"

namespace graviton {

struct PoolRow {
  const float* x;  // x[n, 0, 0, first channel]
  float* y;        // y[n, h, 0, first channel]
  int64_t h;       // output row
  int64_t channels;
};

struct PoolKernels {
  // One output row of some channels.
  void (*max)(const Image& image, const PoolRow& row);
  void (*average)(const Image& image, const PoolRow& row);
};
GRAVITON_DISPATCH(PoolKernels, kPoolKernels)

}  // namespace graviton

#endif  // GRAVITON_KERNELS_POOL_POOL_H_
