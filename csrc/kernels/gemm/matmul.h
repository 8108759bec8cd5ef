#ifndef GRAVITON_KERNELS_GEMM_MATMUL_H_
#define GRAVITON_KERNELS_GEMM_MATMUL_H_

#include "core/ops.gen.h"
#include "kernels/gemm/gemm.h"

namespace graviton {

// MatMul of the windows of an image, one row each pixel in the order (batch1, batch2, rows_m) = (n,
// h, w), with b packed in a layout that rounds. All is checked: `params` says sizes, c's strides
// and the layout; a's strides are unused.
Status MatMulOfPixels(const StepContext& context, const MatMulParams& params,
                      const PixelRows& pixels, Operands in, const Operand& c,
                      const Epilogue& epilogue);

}  // namespace graviton

#endif  // GRAVITON_KERNELS_GEMM_MATMUL_H_
