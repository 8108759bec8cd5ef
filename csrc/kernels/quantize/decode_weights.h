#ifndef GRAVITON_KERNELS_QUANTIZE_DECODE_WEIGHTS_H_
#define GRAVITON_KERNELS_QUANTIZE_DECODE_WEIGHTS_H_

// out[i] = float32(in[i]), in[i] an IEEE 754 binary16 number: exact, subnormals and NaN included.
#include <cstddef>
#include <cstdint>

#include "simd/dispatch.h"

namespace graviton {

struct DecodeWeightsKernels {
  void (*float16)(const uint16_t* in, float* out, size_t count);
};

GRAVITON_DISPATCH(DecodeWeightsKernels, kDecodeWeights)

}  // namespace graviton

#endif  // GRAVITON_KERNELS_QUANTIZE_DECODE_WEIGHTS_H_
