#include "core/ops.gen.h"
#include "kernels/conv/winograd.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/pack.h"

namespace graviton {
namespace {

__extension__ using Wide = unsigned __int128;

// b[taps · rows_k, cols_n] that PackWeights reads and UnpackWeights writes.
struct Matrix {
  size_t depth_k = 0;
  size_t cols_n = 0;
};

Status CheckMatrix(const char* what, const Operand& operand, uint32_t rows, uint32_t cols,
                   int32_t row_stride, int32_t col_stride, uint32_t taps, Matrix* matrix) {
  const uint64_t depth = uint64_t{rows} * taps;
  if (depth > INT32_MAX) return Status::Error(Code::kShape, "%s has too many rows", what);
  const int32_t shape[] = {static_cast<int32_t>(depth), static_cast<int32_t>(cols)};
  const int32_t strides[] = {row_stride, col_stride};
  *matrix = {depth, cols};
  return CheckOperand(what, operand, DType::kFloat32, shape, strides);
}

}  // namespace

const GemmKernels* KernelsOf(Isa isa, PackLayout layout, uint32_t taps) {
  if (layout == kLayoutGemmBf16) return SelectkGemmBf16(isa);
  if (layout == kLayoutGemmInt8) {
    const GemmKernels* kernels = SelectkGemmInt8(isa);
#if !defined(__aarch64__)
    if (kernels == nullptr) kernels = SelectkGemmInt8Pairs(isa);
#endif
    return kernels;
  }
  const bool known = layout == kLayoutGemmF32 || (WinogradOut(layout) != 0 && taps == 9);
  return known ? SelectkGemm(isa) : nullptr;
}

Status CheckPacked(const char* what, const StepContext& context, PackLayout layout, uint32_t rows_k,
                   uint32_t cols_n, uint32_t taps, const Operand& packed) {
  if (KernelsOf(context.isa, layout, taps) == nullptr) {
    const bool rounds = layout == kLayoutGemmBf16 || layout == kLayoutGemmInt8;
    return rounds ? Status::Error(Code::kUnsupported, "%s: %s does not multiply %s", what,
                                  NameOf(context.isa), NameOf(DTypeOf(layout)))
                  : Status::Error(Code::kUnsupported, "%s: there is no layout %u on %s", what,
                                  layout, NameOf(context.isa));
  }
  if (packed.buffer == nullptr || packed.before != 0) {
    return Status::Error(Code::kInvalidStep, "%s is not a whole buffer", what);
  }
  const size_t elems = PackedElemsOf(context.isa, layout, rows_k, cols_n, taps);
  if (elems == 0 && rows_k != 0 && cols_n != 0 && taps != 0) {
    return Status::Error(Code::kShape, "%s is too large", what);
  }
  return CheckDense(what, packed, DTypeOf(layout), static_cast<int64_t>(elems));
}

size_t PackedElemsOf(Isa isa, PackLayout layout, uint32_t rows_k, uint32_t cols_n, uint32_t taps) {
  const GemmKernels* kernels = KernelsOf(isa, layout, taps);
  if (kernels == nullptr) return 0;
  const size_t cols = (cols_n + kernels->lanes - 1) / kernels->lanes * kernels->lanes;
  const size_t unit = kernels->depth_unit;
  const auto winograd = static_cast<size_t>(WinogradOut(layout));
  const size_t transformed = winograd == 0 ? 0 : (winograd + 2) * (winograd + 2);
  const size_t depth = (size_t{rows_k} * taps + unit - 1) / unit * unit;
  // Sums of more products of int8 could leave int32.
  constexpr size_t kMostDepthInt8 = 65536;
  const bool int8 = layout == kLayoutGemmInt8;
  if (int8 && depth > kMostDepthInt8) return 0;
  const size_t header = int8 ? sizeof(float) + sizeof(int32_t) : 0;
  const Wide elems = (Wide{depth} + header + Wide{rows_k} * transformed) * cols;
  return elems > INT32_MAX ? 0 : static_cast<size_t>(elems);
}

Status PackWeights(const StepContext& context, const PackWeightsParams& p, Operands in,
                   Operands out) {
  Matrix m;
  Status status = CheckMatrix("PackWeights in", in[0], p.rows_k, p.cols_n, p.row_stride,
                              p.col_stride, p.taps, &m);
  if (!status.ok()) return status;
  status = CheckPacked("PackWeights out", context, p.layout, p.rows_k, p.cols_n, p.taps, out[0]);
  if (!status.ok()) return status;
  const float* b = in[0].f32();
  if (const int64_t winograd = WinogradOut(p.layout); winograd != 0) {
    PackWinograd(context, b, p.row_stride, p.col_stride, p.rows_k, p.cols_n, winograd,
                 out[0].f32());
  } else {
    const GemmKernels& kernels = *KernelsOf(context.isa, p.layout, p.taps);
    ForPanels(context, m.depth_k, m.cols_n, kernels.tile_cols, [&](Range panels) {
      kernels.pack(b, p.row_stride, p.col_stride, m.depth_k, m.cols_n, panels, out[0].data);
    });
  }
  out[0].buffer->set_layout(LayoutCode(p.layout, context.isa));
  return {};
}

Status UnpackWeights(const StepContext& context, const UnpackWeightsParams& p, Operands in,
                     Operands out) {
  Matrix m;
  Status status = CheckMatrix("UnpackWeights out", out[0], p.rows_k, p.cols_n, p.row_stride,
                              p.col_stride, p.taps, &m);
  if (!status.ok()) return status;
  if (in[0].layout() != LayoutCode(p.layout, context.isa)) {
    return Status::Error(Code::kInvalidStep, "UnpackWeights in has the layout %#x, not %u on %s",
                         in[0].layout(), p.layout, NameOf(context.isa));
  }
  status = CheckPacked("UnpackWeights in", context, p.layout, p.rows_k, p.cols_n, p.taps, in[0]);
  if (!status.ok()) return status;
  const GemmKernels& kernels = *KernelsOf(context.isa, p.layout, p.taps);
  if (kernels.unpack == nullptr) {
    return Status::Error(Code::kUnsupported, "UnpackWeights: layout %u rounds; keep the weights",
                         p.layout);
  }
  ForPanels(context, m.depth_k, m.cols_n, kernels.tile_cols, [&](Range panels) {
    kernels.unpack(in[0].data, m.depth_k, m.cols_n, panels, out[0].f32(), p.row_stride,
                   p.col_stride);
  });
  return {};
}

}  // namespace graviton
