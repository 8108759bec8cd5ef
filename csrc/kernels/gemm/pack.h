#ifndef GRAVITON_KERNELS_GEMM_PACK_H_
#define GRAVITON_KERNELS_GEMM_PACK_H_

#include <cstddef>
#include <cstdint>

#include "core/step.h"
#include "cpu/processor.h"
#include "kernels/gemm/gemm.h"

namespace graviton {

// Wire numbers: packLayouts in src/ops/linear.ts; plain numbers, as steps may say any.
// Buffer::layout() of packed weights is LayoutCode(layout, isa), so weights packed for one level
// are refused by another's kernels.
using PackLayout = uint32_t;
inline constexpr PackLayout kLayoutPlain = 0;
inline constexpr PackLayout kLayoutGemmF32 = 1;
inline constexpr PackLayout kLayoutGemmBf16 = 2;
inline constexpr PackLayout kLayoutWinograd4F32 = 3;  // see kernels/conv/winograd.h
inline constexpr PackLayout kLayoutWinograd2F32 = 4;
inline constexpr PackLayout kLayoutGemmInt8 = 5;

constexpr uint32_t LayoutCode(PackLayout layout, Isa isa) {
  return layout | static_cast<uint32_t>(isa) << 8;
}

// Layouts of products alone: a convolution by such weights is a product of windows gathered from
// the image (PixelRows).
constexpr bool TakesPixelRows(PackLayout layout) {
  return layout == kLayoutGemmBf16 || layout == kLayoutGemmInt8;
}

constexpr DType DTypeOf(PackLayout layout) {
  return layout == kLayoutGemmInt8 ? DType::kInt8
         : TakesPixelRows(layout)  ? DType::kBFloat16
                                   : DType::kFloat32;
}

// Whether floats, plain or in kLayoutGemmF32, are multiplied by kGemmSplitF32: on a level with a
// matrix unit, from the sizes on where that takes less time than kGemm (one Sapphire Rapids,
// bench/problems/gemm.txt).
constexpr bool GainsBySplitting(Isa isa, uint64_t rows, uint64_t depth, uint64_t cols) {
#if defined(__aarch64__)
  (void)isa, (void)rows, (void)depth, (void)cols;
  return false;
#else
  constexpr uint64_t kLeast = uint64_t{1} << 26;  // multiply-adds
  return isa == Isa::kAvx512Amx && rows >= 64 && depth >= 256 && cols >= 256 &&
         rows * depth * cols >= kLeast;
#endif
}

// What multiplies by weights in the layout; null where there is no such layout on the level. All
// that do not round begin with the matrix in kGemmF32.
const GemmKernels* KernelsOf(Isa isa, PackLayout layout, uint32_t taps);

// Elements of the buffer that PackWeights fills for b[taps · rows_k, cols_n]; 0: no such layout.
size_t PackedElemsOf(Isa isa, PackLayout layout, uint32_t rows_k, uint32_t cols_n, uint32_t taps);

// Works on the panels of b[depth_k, cols_n] that each thread is given; copying is memory-bound, so
// small matrices stay on one thread.
template <class Body>
void ForPanels(const StepContext& context, size_t depth_k, size_t cols_n, size_t tile_cols,
               const Body& body) {
  const size_t panels = (cols_n + tile_cols - 1) / tile_cols;
  const size_t parts = depth_k * cols_n < (size_t{1} << 16) ? 1 : context.threads;
  context.pool.Run(parts, [&](size_t part) { body(Partition(panels, parts, part)); });
}

// `what` is a whole buffer with room for (of kLayoutPlain) or with weights in the layout.
Status CheckPacked(const char* what, const StepContext& context, PackLayout layout, uint32_t rows_k,
                   uint32_t cols_n, uint32_t taps, const Operand& packed);

}  // namespace graviton

#endif  // GRAVITON_KERNELS_GEMM_PACK_H_
