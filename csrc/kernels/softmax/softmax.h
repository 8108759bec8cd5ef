// softmax: y = exp(x − max) / Σ exp(x − max); its logarithm: y = (x − max) − log Σ exp(x − max)
#ifndef GRAVITON_KERNELS_SOFTMAX_SOFTMAX_H_
#define GRAVITON_KERNELS_SOFTMAX_SOFTMAX_H_

#include <cstddef>

#include "simd/dispatch.h"

namespace graviton {

// `rows` does whole rows. The others are its three steps, for rows that several threads share.
struct SoftmaxKernels {
  void (*rows)(const float* x, float* y, size_t rows, size_t cols, bool logarithm);
  float (*max)(const float* x, size_t n);
  // Returns Σ exp(x − max) and stores the terms; a null y stores nothing.
  float (*exp_sum)(const float* x, float max, float* y, size_t n);
  void (*scale)(float* y, float factor, size_t n);
  void (*subtract)(const float* x, float max, float sum, float* y, size_t n);
};

GRAVITON_DISPATCH(SoftmaxKernels, kSoftmax)

}  // namespace graviton

#endif  // GRAVITON_KERNELS_SOFTMAX_SOFTMAX_H_
