#ifndef GRAVITON_KERNELS_MOVEMENT_TRANSPOSE_H_
#define GRAVITON_KERNELS_MOVEMENT_TRANSPOSE_H_

#include <cstddef>
#include <cstdint>

#include "simd/dispatch.h"

namespace graviton {

// dst[c · dst_stride + r] = src[r · src_stride + c] for r < rows, c < cols; elements of 4 bytes,
// strides in elements.
struct TransposeKernels {
  void (*words)(const uint32_t* src, int64_t src_stride, uint32_t* dst, int64_t dst_stride,
                int64_t rows, int64_t cols);
};
GRAVITON_DISPATCH(TransposeKernels, kTranspose)

}  // namespace graviton

#endif  // GRAVITON_KERNELS_MOVEMENT_TRANSPOSE_H_
