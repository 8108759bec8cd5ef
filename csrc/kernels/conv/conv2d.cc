#include "kernels/conv/conv2d.h"

#include <algorithm>

#include "kernels/conv/split.h"
#include "kernels/conv/winograd.h"
#include "kernels/gemm/kept_panels.h"
#include "kernels/gemm/matmul.h"
#include "kernels/gemm/pack.h"

#define GRAVITON_TARGET_INCLUDE "kernels/conv/conv_targets-inl.h"
#include "simd/foreach_target.h"

namespace graviton {
namespace {

// Below it taps are too short: 20 cycles to fetch a tile's pointers against 24 for each channel.
constexpr int64_t kShortTap = 16;
constexpr int64_t kMostBlock = 256;

Status CheckGroups(const Image& image, uint32_t groups) {
  if (groups == 0 || image.in_c % groups != 0 || image.out_c % groups != 0) {
    return Status::Error(Code::kShape, "Conv2D: %lld and %lld channels do not make %u groups",
                         static_cast<long long>(image.in_c), static_cast<long long>(image.out_c),
                         groups);
  }
  return {};
}

Status CheckFilter(const StepContext& context, const Conv2DParams& p, const Operand& filter) {
  __extension__ using Wide = unsigned __int128;
  const Wide taps = Wide{p.filter_h} * p.filter_w;
  const bool nothing = taps == 0 || p.in_c == 0 || p.out_c == 0;
  if (p.packed_filter == 0) {
    if (filter.layout() != 0) {
      return Status::Error(Code::kInvalidStep,
                           "Conv2D filter is packed (%#x), which the step does not say",
                           filter.layout());
    }
    Wide elems = taps * (p.in_c / p.groups);
    elems = elems > INT32_MAX ? elems : elems * p.out_c;
    if (elems > INT32_MAX && !nothing)
      return Status::Error(Code::kShape, "Conv2D filter is too large");
    return CheckDense("Conv2D filter", filter, DType::kFloat32,
                      nothing ? 0 : static_cast<int64_t>(elems));
  }
  const PackLayout layout = p.packed_filter;
  if ((layout != kLayoutGemmF32 && WinogradOut(layout) == 0 && !TakesPixelRows(layout)) ||
      filter.layout() != LayoutCode(layout, context.isa)) {
    return Status::Error(Code::kInvalidStep,
                         "Conv2D filter has the layout %#x; the step wants %u on %s",
                         filter.layout(), p.packed_filter, NameOf(context.isa));
  }
  if (p.groups != 1) {
    return Status::Error(Code::kUnsupported, "Conv2D: a filter of %u groups cannot be packed",
                         p.groups);
  }
  if (WinogradOut(layout) != 0 && (p.filter_h != 3 || p.filter_w != 3 || p.stride_h != 1 ||
                                   p.stride_w != 1 || p.dilation_h != 1 || p.dilation_w != 1)) {
    return Status::Error(Code::kUnsupported,
                         "Conv2D: the layout %u is for 3x3 filters without steps", p.packed_filter);
  }
  if (taps > INT32_MAX) return Status::Error(Code::kShape, "Conv2D filter is too large");
  return CheckPacked("Conv2D filter", context, layout, p.in_c, p.out_c, static_cast<uint32_t>(taps),
                     filter);
}

// A 1x1 filter without steps is a matrix product of pixels and filter, operand for operand.
bool IsMatMul(const Conv2DParams& p) {
  return p.filter_h == 1 && p.filter_w == 1 && p.stride_h == 1 && p.stride_w == 1 &&
         p.pad_top == 0 && p.pad_left == 0 && p.groups == 1 && p.out_h <= p.in_h &&
         p.out_w <= p.in_w;
}
MatMulParams AsMatMul(const Conv2DParams& p) {
  return {.batch1 = p.batch,
          .batch2 = p.out_h,
          .rows_m = p.out_w,
          .cols_n = p.out_c,
          .depth_k = p.in_c,
          .a_batch1 = p.x_batch,
          .a_batch2 = p.x_row,
          .a_row = p.x_col,
          .a_col = 1,
          .b_batch1 = 0,
          .b_batch2 = 0,
          .b_row = static_cast<int32_t>(p.out_c),
          .b_col = 1,
          .c_batch1 = p.y_batch,
          .c_batch2 = p.y_row,
          .c_row = p.y_col,
          .packed_b = p.packed_filter,
          .epilogue = p.epilogue,
          .epilogue_strides = p.epilogue_strides};
}

// Whether a convolution of floats is a product of gathered windows in the matrix unit.
bool IsSplit(Isa isa, const Conv2DParams& p, int64_t pixels, int64_t depth_k) {
  return WinogradOut(p.packed_filter) == 0 && p.groups == 1 && depth_k <= INT32_MAX &&
         GainsBySplitting(isa, static_cast<uint64_t>(pixels), static_cast<uint64_t>(depth_k),
                          p.out_c);
}

// Pixels per block: their pointers, copies and the part of x that they read stay in L2.
int64_t BlockOf(const ConvCall& call) {
  constexpr int64_t kWords = 64 << 10;
  const int64_t pointers = 2 * (call.taps() + 1);
  const int64_t copies = call.joined ? call.taps() * call.depth() : 0;
  const int64_t reads = call.image.in_c;
  const int64_t words = std::max({pointers, copies, reads, int64_t{1}});
  return std::clamp<int64_t>(kWords / words, 32, kMostBlock);
}

Status Run(const StepContext& context, ConvCall* call, const Operand& filter, bool packed) {
  const GemmKernels& kernels = *SelectkGemm(context.isa);
  const auto lanes = static_cast<int64_t>(kernels.lanes);
  const int64_t depth_k = call->taps() * call->depth();
  const int64_t vectors = call->groups * CeilDiv(call->group_cols(), lanes);
  const Split split = SplitPixels(call->image.pixels(), vectors, depth_k,
                                  static_cast<int64_t>(kernels.tile_rows), context.threads);
  call->block = BlockOf(*call);
  const PlainWeights shape = {.depth_k = static_cast<size_t>(depth_k),
                              .cols_n = static_cast<size_t>(call->group_cols()),
                              .groups = static_cast<size_t>(call->groups),
                              .transposed = false};
  call->panels = packed ? filter.f32() : KeptPanels(context, shape, filter);
  const bool packs = call->panels == nullptr && depth_k > 0;
  // One block: panels, zeros, then each thread's own. Rounded, so that all start on a cache line.
  const int64_t panel_floats = packs ? depth_k * vectors * lanes : 0;
  const int64_t zero_floats = CeilDiv(std::max(call->depth(), call->image.in_c), 16) * 16;
  const int64_t thread_bytes = call->scratch_bytes();
  const auto floats_bytes =
      static_cast<size_t>(CeilDiv(panel_floats, 16) * 16 + zero_floats) * sizeof(float);
  void* scratch;
  Status status = context.scratch.Reserve(
      floats_bytes + split.parts() * static_cast<size_t>(thread_bytes), &scratch);
  if (!status.ok()) return status;
  auto* panels = static_cast<float*>(scratch);
  float* zeros = panels + CeilDiv(panel_floats, 16) * 16;
  std::memset(zeros, 0, static_cast<size_t>(zero_floats) * sizeof(float));
  call->zeros = zeros;
  if (packs) {
    PackPanelsOf(context, shape, filter.f32(), panels);
    call->panels = panels;
  }
  const ConvKernels& conv = *SelectkConv(context.isa);
  context.pool.Run(split.parts(), [&](size_t part) {
    const auto parts = static_cast<size_t>(split.vectors);
    const Range pixels = Partition(static_cast<size_t>(call->image.pixels()),
                                   static_cast<size_t>(split.pixels), part / parts);
    const Range columns = Partition(static_cast<size_t>(vectors), parts, part % parts);
    conv.multiply(
        *call, pixels, columns,
        static_cast<char*>(scratch) + floats_bytes + part * static_cast<size_t>(thread_bytes));
  });
  return {};
}

}  // namespace

Status Conv2D(const StepContext& context, const Conv2DParams& params, Operands in, Operands out) {
  Image image = ImageOf(params);
  if (Status status = CheckImage("Conv2D", image, in[0], out[0]); !status.ok()) return status;
  if (Status status = CheckGroups(image, params.groups); !status.ok()) return status;
  if (Status status = CheckFilter(context, params, in[1]); !status.ok()) return status;
  if (in[2].given()) {
    Status status = CheckDense("Conv2D bias", in[2], DType::kFloat32, image.out_c);
    if (!status.ok()) return status;
  }
  Epilogue epilogue;
  const int64_t shape[4] = {image.batch, image.out_h, image.out_w, image.out_c};
  Status status = BindEpilogue("Conv2D", params.epilogue, params.epilogue_strides, in.subspan(3),
                               shape, &epilogue);
  if (!status.ok()) return status;
  if (image.empty()) return {};
  if (IsMatMul(params)) return MatMul(context, AsMatMul(params), in, out);
  // Without channels or columns of taps there may be any number of rows of them, and none matters.
  if (image.in_c == 0 || image.filter_h == 0 || image.filter_w == 0) {
    image.filter_h = image.filter_w = 0;
  }
  const int64_t depth_k = image.filter_h * image.filter_w * image.in_c;
  if (TakesPixelRows(params.packed_filter) ||
      IsSplit(context.isa, params, image.pixels(), depth_k)) {
    MatMulParams product = AsMatMul(params);
    product.depth_k = static_cast<uint32_t>(depth_k);
    return MatMulOfPixels(context, product, {image, in[0].f32()}, in, out[0], epilogue);
  }
  Clamp clamp;
  const bool clamps = AsClamp(epilogue.program, &clamp);
  ConvCall call = {
      .image = image,
      .x = in[0].f32(),
      .y = out[0].f32(),
      .panels = nullptr,
      .bias = in[2].f32(),
      .epilogue = epilogue.empty() || clamps ? nullptr : &epilogue,
      .clamp = clamps ? &clamp : nullptr,
      .zeros = nullptr,
      .groups = params.groups,
      .joined = params.groups == 1 && image.in_c < kShortTap && image.dilation_w == 1 &&
                image.filter_w > 1 && image.x_col == image.in_c,
      .block = 0,
  };
  const int64_t winograd = WinogradOut(params.packed_filter);
  if (winograd != 0 && image.in_c > 0) {
    return RunWinograd(context, call, call.epilogue, in[1].f32(), winograd);
  }
  return Run(context, &call, in[1], params.packed_filter != 0);
}

}  // namespace graviton
