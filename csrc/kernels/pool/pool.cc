#include "kernels/pool/pool.h"

#define GRAVITON_TARGET_INCLUDE "kernels/pool/pool-inl.h"
#include "simd/foreach_target.h"

namespace graviton {
namespace {

enum class PoolKind : uint32_t { kMax = 0, kAverage = 1 };  // poolKinds in src/ops/convolution.ts

// Reads per thread below which waking another one costs more than it saves.
constexpr int64_t kReadsPerThread = 32 << 10;
// A cache line's worth of channels: blocks of rows never share a line of y.
constexpr int64_t kChannelGrain = 16;

// The reads that the windows do at most; saturates instead of overflowing.
int64_t Reads(const Image& image) {
  const int64_t taps_h = image.filter_h < image.in_h ? image.filter_h : image.in_h;
  const int64_t taps_w = image.filter_w < image.in_w ? image.filter_w : image.in_w;
  int64_t reads = image.pixels() * image.out_c;  // distinct elements of y: below 2^31
  for (int64_t factor : {taps_h, taps_w}) {
    if (__builtin_mul_overflow(reads, factor, &reads)) return INT64_MAX;
  }
  return reads;
}

}  // namespace

Status Pool2D(const StepContext& context, const Pool2DParams& params, Operands in, Operands out) {
  const Image image = ImageOf(params);
  if (params.kind > static_cast<uint32_t>(PoolKind::kAverage)) {
    return Status::Error(Code::kInvalidStep, "Pool2D has no kind %u", params.kind);
  }
  if (image.in_c != image.out_c) {
    return Status::Error(Code::kShape, "Pool2D: %lld channels cannot become %lld",
                         static_cast<long long>(image.in_c), static_cast<long long>(image.out_c));
  }
  if (Status status = CheckImage("Pool2D", image, in[0], out[0]); !status.ok()) return status;
  if (image.empty()) return {};
  if (!ReadsEachOnce(image)) {
    return Status::Error(Code::kShape, "Pool2D: the strides of x let its elements overlap");
  }

  // Few rows, as in a global pool: threads share the channels of a row.
  const int64_t rows = image.batch * image.out_h;
  const auto threads = static_cast<int64_t>(context.threads);
  const int64_t wanted = rows >= 4 * threads ? 1 : (4 * threads + rows - 1) / rows;
  const int64_t grains = (image.out_c + kChannelGrain - 1) / kChannelGrain;
  const int64_t block = (grains + wanted - 1) / wanted * kChannelGrain;
  const int64_t blocks = (image.out_c + block - 1) / block;
  const int64_t useful = 1 + Reads(image) / kReadsPerThread;
  const auto parts = static_cast<size_t>(useful < threads ? useful : threads);

  const PoolKernels* kernels = SelectkPoolKernels(context.isa);
  const auto run =
      params.kind == static_cast<uint32_t>(PoolKind::kMax) ? kernels->max : kernels->average;
  context.pool.Run(parts, [&](size_t part) {
    const Range range = Partition(static_cast<size_t>(rows * blocks), parts, part);
    for (size_t item = range.begin; item < range.end; ++item) {
      const int64_t row = static_cast<int64_t>(item) / blocks;
      const int64_t c = static_cast<int64_t>(item) % blocks * block;
      const int64_t n = row / image.out_h;
      const int64_t h = row % image.out_h;
      run(image, {.x = in[0].f32() + n * image.x_batch + c,
                  .y = out[0].f32() + n * image.y_batch + h * image.y_row + c,
                  .h = h,
                  .channels = image.out_c - c < block ? image.out_c - c : block});
    }
  });
  return {};
}

}  // namespace graviton
