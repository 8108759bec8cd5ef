#ifndef GRAVITON_KERNELS_CONV_WINOGRAD_H_
#define GRAVITON_KERNELS_CONV_WINOGRAD_H_

// 3x3 convolution with stride 1 by minimal filtering F(m x m, 3x3), m = 4 or 2 (Lavin and Gray
// 2016):
//   y = Aᵀ [ (G g Gᵀ) ∘ (Bᵀ d B) ] A   for each tile of m x m pixels, from d, (m + 2) x (m + 2)
//   pixels of x
// The products ∘, summed over input channels, are (m + 2)² matrix products: 36 multiplications
// where the direct form has 144, or 16 for 36.
//
// A filter's buffer holds the direct form (kGemmF32, all nine taps) and then the (m + 2)² matrices
// G g Gᵀ, each in kGemmF32: what is not finite is computed directly, and unpacking is exact.

#include "kernels/conv/conv2d.h"
#include "kernels/gemm/pack.h"

namespace graviton {

// Pixels of a tile's side; 0: another layout.
constexpr int64_t WinogradOut(PackLayout layout) {
  return layout == kLayoutWinograd4F32 ? 4 : layout == kLayoutWinograd2F32 ? 2 : 0;
}

// Fills the buffer of a filter b[9 · rows_k, cols_n].
void PackWinograd(const StepContext& context, const float* b, int64_t row, int64_t col,
                  size_t rows_k, size_t cols_n, int64_t out, float* packed);

// `call` as for the direct form, but for `zeros` and `panels`. `filter` is the packed buffer's
// data.
Status RunWinograd(const StepContext& context, const ConvCall& call, const Epilogue* epilogue,
                   const float* filter, int64_t out);

}  // namespace graviton

#endif  // GRAVITON_KERNELS_CONV_WINOGRAD_H_
