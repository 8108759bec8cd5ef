// X[k] = Σ x[j] exp(−2πi jk / n), by Stockham's self-sorting algorithm in mixed radix (Van Loan
// 1992, section 1.7); lengths with large prime factors by Bluestein's chirp convolution (1970).
//
// Rows are transformed `lanes` at a time, one to a lane: x[j · lanes + lane].
#ifndef GRAVITON_KERNELS_FFT_FFT_H_
#define GRAVITON_KERNELS_FFT_FFT_H_

#include <cstdint>

#include "simd/dispatch.h"

namespace graviton {

struct Complex {
  float* real;
  float* imag;
};

// One pass: n = radix · m values at the stride s become radix transforms of length m.
struct FftPass {
  int64_t radix, m, stride;
  // exp(−2πi t / total), t in [0, total)
  const float* cosine;
  const float* sine;
  int64_t total;
};

inline constexpr int64_t kMostRadix = 13;

struct FftKernels {
  void (*pass)(const FftPass& pass, Complex from, Complex to);
};
GRAVITON_DISPATCH(FftKernels, kFftKernels)

}  // namespace graviton

#endif  // GRAVITON_KERNELS_FFT_FFT_H_
