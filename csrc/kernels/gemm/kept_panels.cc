#include "kernels/gemm/kept_panels.h"

namespace graviton {
namespace {

constexpr size_t CeilDiv(size_t a, size_t b) { return (a + b - 1) / b; }

size_t PaddedCols(const GemmKernels& kernels, size_t cols) {
  return CeilDiv(cols, kernels.lanes) * kernels.lanes;
}

// With the buffer's own size it tells all shapes apart; sizes have 31 bits.
uint64_t KeyOf(const PlainWeights& shape) {
  return uint64_t{shape.cols_n} << 32 | uint64_t{shape.groups} << 1 | uint64_t{shape.transposed};
}

}  // namespace

void PackPanelsOf(const StepContext& context, const PlainWeights& shape, const float* weights,
                  float* panels) {
  const GemmKernels& kernels = *SelectkGemm(context.isa);
  const auto [depth, cols, groups, transposed] = shape;
  const size_t group_panels = CeilDiv(cols, kernels.tile_cols);
  const size_t group_floats = depth * PaddedCols(kernels, cols);
  const auto row = static_cast<int64_t>(transposed ? 1 : cols * groups);
  const auto col = static_cast<int64_t>(transposed ? depth : 1);
  const size_t all = group_panels * groups;
  const size_t parts = depth * cols * groups < (size_t{1} << 16) ? 1 : context.threads;
  context.pool.Run(parts, [&](size_t part) {
    const Range range = Partition(all, parts, part);
    for (size_t panel = range.begin; panel < range.end; ++panel) {
      const size_t group = panel / group_panels;
      const size_t within = panel % group_panels;
      kernels.pack(weights + group * cols, row, col, depth, cols, {within, within + 1},
                   panels + group * group_floats);
    }
  });
}

const float* KeptPanels(const StepContext& context, const PlainWeights& shape,
                        const Operand& weights) {
  Buffer* buffer = weights.buffer;
  const size_t elems = shape.depth_k * shape.cols_n * shape.groups;
  if (buffer == nullptr || weights.before != 0 || buffer->elems() != elems || elems == 0) {
    return nullptr;
  }
  const uint32_t code = LayoutCode(kLayoutGemmF32, context.isa);
  const uint64_t key = KeyOf(shape);
  if (const Buffer* form = buffer->form(); form != nullptr) {
    const bool same = form->layout() == code && form->form_key() == key;
    return same ? static_cast<const float*>(form->data()) : nullptr;
  }
  if (!buffer->ReadBefore()) return nullptr;
  const size_t cols = PaddedCols(*SelectkGemm(context.isa), shape.cols_n);
  BufferRef form(Buffer::New(DType::kFloat32, shape.groups * shape.depth_k * cols));
  if (!form) return nullptr;
  PackPanelsOf(context, shape, weights.f32(), static_cast<float*>(form->data()));
  form->set_layout(code);
  form->set_form_key(key);
  return buffer->KeepForm(form.get()) ? static_cast<const float*>(form->data()) : nullptr;
}

}  // namespace graviton
