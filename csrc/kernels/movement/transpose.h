#ifndef GRAVITON_KERNELS_MOVEMENT_TRANSPOSE_H_
#define GRAVITON_KERNELS_MOVEMENT_TRANSPOSE_H_

#include <cstdint>

namespace graviton {

// dst[c · dst_row + r] = src[r · src_row + c] for r < rows, c < cols, elements of 4 bytes; strides
// in elements. Blocks that fit L1 on both sides are the caller's business.
void TransposeWords(const void* src, int64_t src_row, void* dst, int64_t dst_row, int64_t rows,
                    int64_t cols);

}  // namespace graviton

#endif  // GRAVITON_KERNELS_MOVEMENT_TRANSPOSE_H_
