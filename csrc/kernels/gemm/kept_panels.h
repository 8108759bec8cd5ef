#ifndef GRAVITON_KERNELS_GEMM_KEPT_PANELS_H_
#define GRAVITON_KERNELS_GEMM_KEPT_PANELS_H_

#include <cstddef>
#include <cstdint>

#include "core/step.h"
#include "kernels/gemm/pack.h"

namespace graviton {

// Plain weights: `groups` matrices b[depth_k, cols_n] side by side, row after row; transposed: one
// matrix, column after column.
struct PlainWeights {
  size_t depth_k;
  size_t cols_n;
  size_t groups;
  bool transposed;
};

// Writes the panels (kLayoutGemmF32), one matrix after the other. Works on all threads where there
// is enough to copy.
void PackPanelsOf(const StepContext& context, const PlainWeights& shape, const float* weights,
                  float* panels);

// The panels of weights that steps read again and again (eager mode, and what plans do not pack):
// made at the second use of their buffer, kept with it. Null: not kept, and the caller packs what
// it needs, to the same bits. ResNet-18 on 32 x 32 pixels, eager: packing was two thirds of the
// time.
const float* KeptPanels(const StepContext& context, const PlainWeights& shape,
                        const Operand& weights);

}  // namespace graviton

#endif  // GRAVITON_KERNELS_GEMM_KEPT_PANELS_H_
