// ExpandDepthwiseConv2D: the first two convolutions of an inverted residual block (Sandler et al.
// 2018, MobileNetV2) in one pass. The expanded image, many times larger than x, exists a band of
// rows at a time, which stays in the L2 cache of the core that makes and reads it.

#include <algorithm>
#include <cstring>

#include "core/ops.gen.h"
#include "kernels/conv/depthwise.h"
#include "kernels/conv/split.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/pack.h"

namespace graviton {
namespace {

// Of one thread's band, beside which its L2 holds the filters, x and y.
constexpr int64_t kBandFloats = 64 << 10;

// x in the terms of the product: rows of pixels and their channels.
struct Bands {
  GemmCall product;  // of row 0 of image 0
  const GemmKernels* gemm;
  const DepthwiseKernels* depthwise;
  DepthwiseCall depthwise_call;  // its x is set for each band
  int64_t x_row, x_batch;
  int64_t rows;    // of y in a band
  int64_t floats;  // of a band

  const Image& image() const { return depthwise_call.image; }
  int64_t row_floats() const { return image().in_w * image().in_c; }
  int64_t window_h() const { return (image().filter_h - 1) * image().dilation_h + 1; }
  // Rows of the expanded image that `rows` rows of y meet.
  int64_t RowsIn(int64_t y_rows) const { return (y_rows - 1) * image().stride_h + window_h(); }
};

// As many rows of y, in whole tiles, as a band has room for, and one tile at least.
int64_t RowsOfBand(const Bands& bands, int64_t tile_h) {
  const int64_t room = kBandFloats / std::max<int64_t>(1, bands.row_floats());
  const int64_t rows = (room - bands.window_h()) / bands.image().stride_h + 1;
  return std::clamp(rows / tile_h * tile_h, tile_h, std::max(tile_h, bands.image().out_h));
}

// Expands rows [first, last) of image n to `to`.
void Expand(const Bands& bands, int64_t n, Range rows, float* to, float* scratch) {
  const Image& image = bands.image();
  const auto width = static_cast<size_t>(image.in_w);
  const bool dense = bands.x_row == bands.product.a_row * image.in_w;
  const size_t step = dense ? rows.end - rows.begin : 1;
  const size_t vectors = (bands.product.cols_n + bands.gemm->lanes - 1) / bands.gemm->lanes;
  for (size_t row = rows.begin; row < rows.end; row += step) {
    GemmCall call = bands.product;
    call.a += n * bands.x_batch + static_cast<int64_t>(row) * bands.x_row;
    call.c = to;
    call.rows_m = step * width;
    bands.gemm->multiply(call, {0, call.rows_m}, {0, vectors}, scratch);
    to += step * width * bands.product.cols_n;
  }
}

// Rows [begin, end) of y, counted through all images. Rows of the expanded image that two bands
// meet are moved, not computed again.
void RunBands(const Bands& bands, Range range, float* band, float* product_scratch,
              void* depthwise_scratch) {
  const Image& image = bands.image();
  int64_t kept_image = -1;
  Range kept = {0, 0};  // expanded rows that `band` holds
  for (auto row = static_cast<int64_t>(range.begin); row < static_cast<int64_t>(range.end);) {
    const int64_t n = row / image.out_h;
    const int64_t h = row % image.out_h;
    const int64_t rows =
        std::min({bands.rows, static_cast<int64_t>(range.end) - row, image.out_h - h});
    const int64_t top = h * image.stride_h - image.pad_top;
    const Range needed = {
        static_cast<size_t>(std::clamp<int64_t>(top, 0, image.in_h)),
        static_cast<size_t>(std::clamp<int64_t>(top + bands.RowsIn(rows), 0, image.in_h))};
    size_t from = needed.begin;
    if (n == kept_image && needed.begin >= kept.begin && needed.begin < kept.end) {
      from = std::min(kept.end, needed.end);
      const auto floats = static_cast<size_t>(bands.row_floats());
      std::memmove(band, band + (needed.begin - kept.begin) * floats,
                   (from - needed.begin) * floats * sizeof(float));
    }
    Expand(bands, n, {from, needed.end},
           band + static_cast<int64_t>(from - needed.begin) * bands.row_floats(), product_scratch);
    kept_image = n;
    kept = needed;
    // The band as an image of its own: the same windows over its rows alone.
    DepthwiseCall call = bands.depthwise_call;
    call.x = band;
    call.image.x_batch = 0;
    call.image.in_h = static_cast<int64_t>(needed.end - needed.begin);
    call.image.pad_top += static_cast<int64_t>(needed.begin);
    bands.depthwise->rows(call, {static_cast<size_t>(row), static_cast<size_t>(row + rows)},
                          {0, static_cast<size_t>(image.out_c)}, depthwise_scratch);
    row += rows;
  }
}

Status Run(const StepContext& context, Bands* bands) {
  const Image& image = bands->image();
  const auto lanes = static_cast<int64_t>(bands->gemm->lanes);
  const auto tile_h = bands->depthwise->tile_h;
  bands->rows = RowsOfBand(*bands, tile_h);
  bands->floats = bands->RowsIn(bands->rows);
  if (__builtin_mul_overflow(bands->floats, bands->row_floats(), &bands->floats) ||
      bands->floats > INT64_MAX / 16) {
    return Status::Error(Code::kShape, "ExpandDepthwiseConv2D: a band of its image is too large");
  }
  const int64_t y_rows = image.batch * image.out_h;
  // Threads share rows alone: their worth is that of the product.
  const Split split =
      SplitPixels(y_rows * image.in_w * image.stride_h, CeilDiv(image.in_c, lanes),
                  static_cast<int64_t>(bands->product.depth_k) + image.filter_h * image.filter_w,
                  static_cast<int64_t>(bands->gemm->tile_rows), context.threads);
  const auto parts =
      static_cast<size_t>(std::min(static_cast<int64_t>(split.parts()), CeilDiv(y_rows, tile_h)));
  const auto round = [](size_t bytes) { return (bytes + 63) / 64 * 64; };
  const size_t band_bytes = round(static_cast<size_t>(bands->floats) * sizeof(float));
  bands->product.rows_m = static_cast<size_t>(bands->RowsIn(bands->rows) * image.in_w);
  const size_t product_bytes = round(bands->gemm->scratch_floats(bands->product) * sizeof(float));
  const size_t thread_bytes =
      band_bytes + product_bytes +
      round(bands->depthwise->scratch_bytes(bands->depthwise_call, image.out_c));
  const size_t zeros_bytes = round(static_cast<size_t>(image.out_c) * sizeof(float));
  void* scratch;
  Status status = context.scratch.Reserve(zeros_bytes + parts * thread_bytes, &scratch);
  if (!status.ok()) return status;
  std::memset(scratch, 0, zeros_bytes);
  bands->depthwise_call.zeros = static_cast<float*>(scratch);
  char* threads = static_cast<char*>(scratch) + zeros_bytes;
  context.pool.Run(parts, [&](size_t part) {
    char* own = threads + part * thread_bytes;
    RunBands(*bands,
             Partition(static_cast<size_t>(y_rows), parts, part, static_cast<size_t>(tile_h)),
             reinterpret_cast<float*>(own), reinterpret_cast<float*>(own + band_bytes),
             own + band_bytes + product_bytes);
  });
  return {};
}

Status CheckFilters(const StepContext& context, const ExpandDepthwiseConv2DParams& p,
                    const Image& image, Operands in) {
  if (p.packed_filter != kLayoutGemmF32 ||
      in[1].layout() != LayoutCode(kLayoutGemmF32, context.isa)) {
    return Status::Error(Code::kInvalidStep,
                         "ExpandDepthwiseConv2D filter has the layout %#x, the step says %u; it "
                         "must be packed as float32 for %s",
                         in[1].layout(), p.packed_filter, NameOf(context.isa));
  }
  Status status = CheckPacked("ExpandDepthwiseConv2D filter", context, kLayoutGemmF32, p.depth_k,
                              p.in_c, 1, in[1]);
  if (!status.ok()) return status;
  if (image.filter_h < 1 || image.filter_w < 1) {
    return Status::Error(Code::kShape, "ExpandDepthwiseConv2D: a depthwise filter of %lld x %lld",
                         static_cast<long long>(image.filter_h),
                         static_cast<long long>(image.filter_w));
  }
  status = CheckDepthwiseFilter(image, in[3]);
  if (!status.ok()) return status;
  for (const size_t bias : {2, 4}) {
    if (!in[bias].given()) continue;
    status = CheckDense("ExpandDepthwiseConv2D bias", in[bias], DType::kFloat32, image.out_c);
    if (!status.ok()) return status;
  }
  return {};
}

}  // namespace

Status ExpandDepthwiseConv2D(const StepContext& context, const ExpandDepthwiseConv2DParams& params,
                             Operands in, Operands out) {
  constexpr const char* kName = ExpandDepthwiseConv2DParams::kName;
  Image image = ImageOf(params);
  if (image.in_c != image.out_c) {
    return Status::Error(Code::kShape, "%s: %lld expanded channels are not %lld", kName,
                         static_cast<long long>(image.in_c), static_cast<long long>(image.out_c));
  }
  Image read = image;
  read.in_c = params.depth_k;
  if (Status status = CheckImage(kName, read, in[0], out[0]); !status.ok()) return status;
  if (Status status = CheckFilters(context, params, image, in); !status.ok()) return status;
  Epilogue expansion;
  const int64_t expanded[4] = {image.batch, image.in_h, image.in_w, image.in_c};
  Status status = BindEpilogue(kName, params.expansion, {}, {}, expanded, &expansion);
  if (!status.ok()) return status;
  Epilogue epilogue;
  const int64_t shape[4] = {image.batch, image.out_h, image.out_w, image.out_c};
  status = BindEpilogue(kName, params.epilogue, params.epilogue_strides, in.subspan(5), shape,
                        &epilogue);
  if (!status.ok()) return status;
  if (image.empty()) return {};
  TileEpilogue tile = {};
  tile.clamps = true;
  const bool in_tiles = AsClamp(expansion.program, &tile.clamp);
  Clamp clamp;
  const bool clamps = AsClamp(epilogue.program, &clamp);
  Bands bands = {.product = {},
                 .gemm = SelectkGemm(context.isa),
                 .depthwise = SelectkDepthwise(context.isa),
                 .depthwise_call = {.image = image,
                                    .x = nullptr,
                                    .y = out[0].f32(),
                                    .filter = in[3].f32(),
                                    .bias = in[4].f32(),
                                    .epilogue = epilogue.empty() || clamps ? nullptr : &epilogue,
                                    .clamp = clamps ? &clamp : nullptr,
                                    .zeros = nullptr},
                 .x_row = image.x_row,
                 .x_batch = image.x_batch,
                 .rows = 0,
                 .floats = 0};
  bands.depthwise_call.image.x_col = image.in_c;
  bands.depthwise_call.image.x_row = image.in_w * image.in_c;
  GemmCall& product = bands.product;
  product.a = in[0].f32();
  product.a_row = image.x_col;
  product.a_col = 1;
  product.b = in[1].f32();
  product.prepared_b = in[1].data;
  product.packed = true;
  product.c_row = image.in_c;
  product.bias = in[2].f32();
  product.epilogue = expansion.empty() ? nullptr : &expansion;
  product.tile_epilogue = tile;
  product.in_tiles = in_tiles;
  product.cols_n = static_cast<size_t>(image.in_c);
  product.depth_k = params.depth_k;
  return Run(context, &bands);
}

}  // namespace graviton
