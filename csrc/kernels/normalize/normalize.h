// y = epilogue((x − mean) / (sqrt(correction · variance + epsilon) + spread_epsilon) · gamma +
// beta)
//
// over the elements of a group: layer norm (Ba et al. 2016, equation 4), instance norm (Ulyanov et
// al. 2016, equation 2), group norm (Wu & He 2018, equation 1). rms: mean is 0 and variance the
// mean of squares (Zhang & Sennrich 2019, equation 4).
#ifndef GRAVITON_KERNELS_NORMALIZE_NORMALIZE_H_
#define GRAVITON_KERNELS_NORMALIZE_NORMALIZE_H_

#include <cstddef>

#include "kernels/pointwise/clamp.h"
#include "kernels/pointwise/program.h"
#include "simd/dispatch.h"

namespace graviton {

inline constexpr int kNormalizeKinds = 2;

// Rows that are summed in float32; their sums are joined in float64.
inline constexpr size_t kMomentRows = 128;

// What divides the deviations: variance is corrected by a factor (Bessel's n / (n − 1), or 1).
struct Spread {
  float correction;
  float epsilon;  // inside of the root
  float outside;  // beside it
  // Inlined: a function of its own could be that of a level that the processor lacks.
  [[gnu::always_inline]] float Inverse(float variance) const {
    return 1.0f / (__builtin_sqrtf(correction * variance + epsilon) + outside);
  }
};

// Rows [first_row, first_row + rows) of x and y.
struct NormalizePiece {
  const float* x;
  const float* gamma;  // null: 1
  const float* beta;   // null: 0
  float* y;
  size_t rows;
  size_t cols;
  ptrdiff_t x_row;
  ptrdiff_t y_row;
  Spread spread;
  const Epilogue* epilogue;  // null: none
  Clamp clamp;               // what ScaleColumns does instead of an epilogue that only clamps
  size_t first_row;
};

struct NormalizeKernels {
  // Each row is a group.
  void (*rows[kNormalizeKinds])(const NormalizePiece&);
  // Of each column: its mean (rms: 0) and the sum of the squares of its deviations from that. The
  // arrays have room for whole vectors.
  void (*moments[kNormalizeKinds])(const NormalizePiece&, double* mean, double* squares);
  // y = epilogue((x − mean[col]) · factor[col] + shift[col])
  void (*scale)(const NormalizePiece&, const float* mean, const float* factor, const float* shift);
};

GRAVITON_DISPATCH(NormalizeKernels, kNormalize)

}  // namespace graviton

#endif  // GRAVITON_KERNELS_NORMALIZE_NORMALIZE_H_
