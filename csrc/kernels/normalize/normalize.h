// layer: y = (x − mean) / sqrt(variance + epsilon) · gamma + beta   (Ba et al. 2016, equation 4)
// rms:   y = x / sqrt(mean(x²) + epsilon) · gamma + beta            (Zhang & Sennrich 2019,
// equation 4)
#ifndef GRAVITON_KERNELS_NORMALIZE_NORMALIZE_H_
#define GRAVITON_KERNELS_NORMALIZE_NORMALIZE_H_

#include <cstddef>

#include "simd/dispatch.h"

namespace graviton {

inline constexpr int kNormalizeKinds = 2;

struct NormalizePiece {
  const float* x;
  const float* gamma;  // null: 1
  const float* beta;   // null: 0
  float* y;
  size_t rows;
  size_t cols;
  ptrdiff_t x_row;
  ptrdiff_t y_row;
  float epsilon;
};

struct NormalizeKernels {
  void (*run[kNormalizeKinds])(const NormalizePiece&);
};

GRAVITON_DISPATCH(NormalizeKernels, kNormalize)

}  // namespace graviton

#endif  // GRAVITON_KERNELS_NORMALIZE_NORMALIZE_H_
