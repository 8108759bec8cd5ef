#include "kernels/conv/depthwise.h"

#include <algorithm>

#define GRAVITON_TARGET_INCLUDE "kernels/conv/depthwise-inl.h"
#include "simd/foreach_target.h"

namespace graviton {
namespace {

// Fewer multiply-adds than this are not worth a thread of their own.
constexpr double kStepsPerPart = 128 << 10;
// Threads share channels only in runs that keep the epilogue and whole vectors busy.
constexpr int64_t kChannelsPerPart = 64;
constexpr size_t kChannelGrain = 16;

// Repeats x's channels, dense, so that each output channel has its own.
void RepeatChannels(const StepContext& context, const DepthwiseKernels& kernels, int64_t multiplier,
                    float* repeated, DepthwiseCall* call) {
  Image& image = call->image;
  const int64_t rows = image.batch * image.in_h;
  const float* x = call->x;
  context.pool.Run(context.threads, [&](size_t part) {
    const Range range = Partition(static_cast<size_t>(rows), context.threads, part);
    for (auto row = static_cast<int64_t>(range.begin); row < static_cast<int64_t>(range.end);
         ++row) {
      const float* from = x + row / image.in_h * image.x_batch + row % image.in_h * image.x_row;
      float* to = repeated + row * image.in_w * image.out_c;
      for (int64_t w = 0; w < image.in_w; ++w) {
        kernels.repeat(from + w * image.x_col, image.in_c, multiplier, to + w * image.out_c);
      }
    }
  });
  call->x = repeated;
  image.in_c = image.out_c;
  image.x_col = image.out_c;
  image.x_row = image.in_w * image.x_col;
  image.x_batch = image.in_h * image.x_row;
}

// How rows and channels are divided among threads: a pure function of sizes.
struct Split {
  size_t rows;
  size_t channels;
  size_t parts() const { return rows * channels; }
};
Split SplitOf(const DepthwiseCall& call, int64_t tile_h, size_t threads) {
  const Image& i = call.image;
  const double steps = static_cast<double>(i.pixels()) * static_cast<double>(i.out_c) *
                       static_cast<double>(call.taps());
  const double worth = steps / kStepsPerPart;
  auto most = static_cast<int64_t>(threads);
  if (worth < static_cast<double>(most)) most = worth < 2 ? 1 : static_cast<int64_t>(worth);
  const int64_t tiles = (i.batch * i.out_h + tile_h - 1) / tile_h;
  const int64_t most_channels = std::max<int64_t>(1, i.out_c / kChannelsPerPart);
  Split best = {1, 1};
  int64_t best_cost = INT64_MAX;
  for (int64_t rows = 1; rows <= std::min(most, tiles); ++rows) {
    const int64_t channels = std::min(most / rows, most_channels);
    // Of the busiest thread, which takes half as long again for pixels that others wrote in the
    // step before.
    const int64_t work = (tiles + rows - 1) / rows * ((i.out_c + channels - 1) / channels);
    const int64_t cost = channels > 1 ? 3 * work : 2 * work;
    if (cost > best_cost) continue;
    best = {static_cast<size_t>(rows), static_cast<size_t>(channels)};
    best_cost = cost;
  }
  return best;
}

Status Run(const StepContext& context, DepthwiseCall* call, int64_t multiplier) {
  const DepthwiseKernels& kernels = *SelectkDepthwise(context.isa);
  const Image& image = call->image;
  const Split split = SplitOf(*call, kernels.tile_h, context.threads);
  const size_t thread_bytes = kernels.scratch_bytes(*call, image.out_c);
  const auto zeros_bytes = static_cast<size_t>(image.out_c + 15) / 16 * 64;
  int64_t repeated_floats = 0;
  if (multiplier > 1) {
    repeated_floats = image.out_c;
    for (int64_t size : {image.batch, image.in_h, image.in_w}) {
      if (__builtin_mul_overflow(repeated_floats, size, &repeated_floats) ||
          repeated_floats > INT64_MAX / 8) {
        return Status::Error(Code::kShape, "DepthwiseConv2D: x is too large to be repeated");
      }
    }
  }
  void* scratch;
  Status status = context.scratch.Reserve(zeros_bytes + split.parts() * thread_bytes +
                                              static_cast<size_t>(repeated_floats) * sizeof(float),
                                          &scratch);
  if (!status.ok()) return status;
  std::memset(scratch, 0, zeros_bytes);
  call->zeros = static_cast<float*>(scratch);
  char* threads = static_cast<char*>(scratch) + zeros_bytes;
  if (multiplier > 1) {
    auto* repeated = reinterpret_cast<float*>(threads + split.parts() * thread_bytes);
    RepeatChannels(context, kernels, multiplier, repeated, call);
  }
  context.pool.Run(split.parts(), [&](size_t part) {
    const Range rows = Partition(static_cast<size_t>(image.batch * image.out_h), split.rows,
                                 part / split.channels, static_cast<size_t>(kernels.tile_h));
    const Range channels = Partition(static_cast<size_t>(image.out_c), split.channels,
                                     part % split.channels, kChannelGrain);
    kernels.rows(*call, rows, channels, threads + part * thread_bytes);
  });
  return {};
}

}  // namespace

Status CheckDepthwiseFilter(const Image& image, const Operand& filter) {
  int64_t elems = image.out_c;
  bool fits = true;
  for (int64_t taps : {image.filter_h, image.filter_w}) {
    fits = fits && !__builtin_mul_overflow(elems, taps, &elems) && elems <= INT32_MAX;
  }
  if (!fits) return Status::Error(Code::kShape, "DepthwiseConv2D filter is too large");
  if (filter.layout() != 0) {
    return Status::Error(Code::kInvalidStep,
                         "DepthwiseConv2D filter has the layout %#x; it takes none",
                         filter.layout());
  }
  return CheckDense("DepthwiseConv2D filter", filter, DType::kFloat32, elems);
}

Status DepthwiseConv2D(const StepContext& context, const DepthwiseConv2DParams& params, Operands in,
                       Operands out) {
  const Image image = ImageOf(params);
  if (Status status = CheckImage("DepthwiseConv2D", image, in[0], out[0]); !status.ok())
    return status;
  if (params.multiplier == 0 || image.in_c * params.multiplier != image.out_c) {
    return Status::Error(Code::kShape, "DepthwiseConv2D: %lld channels times %u are not %lld",
                         static_cast<long long>(image.in_c), params.multiplier,
                         static_cast<long long>(image.out_c));
  }
  if (Status status = CheckDepthwiseFilter(image, in[1]); !status.ok()) return status;
  if (in[2].given()) {
    Status status = CheckDense("DepthwiseConv2D bias", in[2], DType::kFloat32, image.out_c);
    if (!status.ok()) return status;
  }
  Epilogue epilogue;
  const int64_t shape[4] = {image.batch, image.out_h, image.out_w, image.out_c};
  Status status = BindEpilogue("DepthwiseConv2D", params.epilogue, params.epilogue_strides,
                               in.subspan(3), shape, &epilogue);
  if (!status.ok()) return status;
  if (image.empty()) return {};
  Clamp clamp;
  const bool clamps = AsClamp(epilogue.program, &clamp);
  DepthwiseCall call = {.image = image,
                        .x = in[0].f32(),
                        .y = out[0].f32(),
                        .filter = in[1].f32(),
                        .bias = in[2].f32(),
                        .epilogue = epilogue.empty() || clamps ? nullptr : &epilogue,
                        .clamp = clamps ? &clamp : nullptr,
                        .zeros = nullptr};
  return Run(context, &call, params.multiplier);
}

}  // namespace graviton
