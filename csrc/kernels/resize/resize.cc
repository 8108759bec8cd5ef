#include "kernels/resize/resize.h"

#include <cmath>
#include <cstring>

#include "core/ops.gen.h"

#define GRAVITON_TARGET_INCLUDE "kernels/resize/resize-inl.h"
#include "simd/foreach_target.h"

namespace graviton {
namespace {

enum class ResizeKind : uint32_t {
  kBilinear = 0,
  kNearest = 1
};  // resizeKinds in src/ops/convolution.ts

constexpr int64_t kElemsPerThread = 16 << 10;  // below it waking a thread costs more than it saves

struct Axis {
  int64_t in;
  int64_t out;
};

// Of one axis, as tfjs-backend-cpu 4.22: kernels/ResizeBilinear.ts and ResizeNearestNeighbor.ts.
template <class Params>
void Positions(const Params& params, Axis axis, ResizePosition* positions) {
  const bool corners = params.align_corners != 0 && axis.out > 1;
  const double ratio = corners
                           ? static_cast<double>(axis.in - 1) / static_cast<double>(axis.out - 1)
                           : static_cast<double>(axis.in) / static_cast<double>(axis.out);
  const bool half = params.half_pixel_centers != 0;
  const auto clamp = [&](double at) {
    const auto most = static_cast<double>(axis.in - 1);
    return static_cast<int64_t>(at < 0 ? 0 : at > most ? most : at);
  };
  for (int64_t i = 0; i < axis.out; ++i) {
    const auto at = static_cast<double>(i);
    if (params.kind == static_cast<uint32_t>(ResizeKind::kNearest)) {
      const double source = half ? ratio * (at + 0.5) : ratio * at;
      // JavaScript's Math.round: halves go up.
      const double nearest =
          params.align_corners != 0 ? std::floor(source + 0.5) : std::floor(source);
      positions[i] = {clamp(nearest), 0, 0};
      continue;
    }
    const double source = half ? ratio * (at + 0.5) - 0.5 : ratio * at;
    const int64_t low = clamp(std::floor(source));
    positions[i] = {low, clamp(std::ceil(source)),
                    static_cast<float>(source - static_cast<double>(low))};
  }
}

template <class T>
void NearestRow(const T* x, const ResizePosition* cols, int64_t out_w, int64_t channels, T* y) {
  for (int64_t w = 0; w < out_w; ++w) {
    const T* from = x + cols[w].low * channels;
    if (channels < 16) {
      for (int64_t c = 0; c < channels; ++c) y[c] = from[c];
    } else {
      std::memcpy(y, from, static_cast<size_t>(channels) * sizeof(T));
    }
    y += channels;
  }
}

// `x` is the image of in_h x in_w, `y` the one of out_h x out_w.
template <class Params>
Status Check(const Params& params, const Operand& x, const Operand& y) {
  if (params.kind > static_cast<uint32_t>(ResizeKind::kNearest)) {
    return Status::Error(Code::kInvalidStep, "Resize2D has no kind %u", params.kind);
  }
  const DType dtype = params.kind == static_cast<uint32_t>(ResizeKind::kNearest) && x.given() &&
                              x.dtype == DType::kInt32
                          ? DType::kInt32
                          : DType::kFloat32;
  int32_t sizes[6];
  const uint32_t given[] = {params.batch, params.in_h,  params.in_w,
                            params.out_h, params.out_w, params.channels};
  for (int i = 0; i < 6; ++i) {
    if (given[i] > INT32_MAX) {
      return Status::Error(Code::kShape, "Resize2D has the size %u; at most 2^31 - 1", given[i]);
    }
    sizes[i] = static_cast<int32_t>(given[i]);
  }
  // A stride that does not fit 32 bits belongs to an axis that no buffer can hold.
  const auto dense = [&](const char* what, const Operand& operand, int32_t h, int32_t w) {
    int64_t elems = 1;
    for (int64_t size : {int64_t{sizes[0]}, int64_t{h}, int64_t{w}, int64_t{sizes[5]}}) {
      if (__builtin_mul_overflow(elems, size, &elems)) elems = INT64_MAX;
      if (size == 0) elems = 0;
      if (elems == 0) break;
    }
    return CheckDense(what, operand, dtype, elems);
  };
  if (Status status = dense("Resize2D x", x, sizes[1], sizes[2]); !status.ok()) return status;
  if (Status status = dense("Resize2D y", y, sizes[3], sizes[4]); !status.ok()) return status;
  return {};
}

}  // namespace

Status Resize2D(const StepContext& context, const Resize2DParams& params, Operands in,
                Operands out) {
  if (Status status = Check(params, in[0], out[0]); !status.ok()) return status;
  const int64_t out_h = params.out_h;
  const int64_t out_w = params.out_w;
  const int64_t channels = params.channels;
  const int64_t rows = params.batch * out_h;
  if (rows == 0 || out_w == 0 || channels == 0) return {};
  if (params.in_h == 0 || params.in_w == 0) {
    return Status::Error(Code::kShape, "Resize2D cannot make pixels of an empty image");
  }
  void* block;
  if (Status status = context.scratch.Reserve(
          static_cast<size_t>(out_h + out_w) * sizeof(ResizePosition), &block);
      !status.ok()) {
    return status;
  }
  auto* row_positions = static_cast<ResizePosition*>(block);
  ResizePosition* cols = row_positions + out_h;
  Positions(params, {params.in_h, out_h}, row_positions);
  Positions(params, {params.in_w, out_w}, cols);

  const int64_t line = int64_t{params.in_w} * channels;
  const int64_t useful = 1 + rows * out_w * channels / kElemsPerThread;
  const auto parts =
      static_cast<size_t>(useful) < context.threads ? static_cast<size_t>(useful) : context.threads;
  const ResizeKernels* kernels = SelectkResizeKernels(context.isa);
  context.pool.Run(parts, [&](size_t part) {
    const Range range = Partition(static_cast<size_t>(rows), parts, part);
    for (auto item = static_cast<int64_t>(range.begin); item < static_cast<int64_t>(range.end);
         ++item) {
      const ResizePosition& row = row_positions[item % out_h];
      const int64_t image = item / out_h * params.in_h;
      const int64_t top = (image + row.low) * line;
      const int64_t y = item * out_w * channels;
      if (params.kind == static_cast<uint32_t>(ResizeKind::kNearest)) {
        NearestRow(in[0].i32() + top, cols, out_w, channels, out[0].i32() + y);
      } else {
        kernels->bilinear({.top = in[0].f32() + top,
                           .bottom = in[0].f32() + (image + row.high) * line,
                           .fraction = row.fraction,
                           .cols = cols,
                           .out_w = out_w,
                           .channels = channels,
                           .y = out[0].f32() + y});
      }
    }
  });
  return {};
}

// Each part has some rows of dx to itself and takes from every row of dy what belongs to them, so
// that the bits do not depend on the number of threads.
Status Resize2DGrad(const StepContext& context, const Resize2DGradParams& params, Operands in,
                    Operands out) {
  if (Status status = Check(params, out[0], in[0]); !status.ok()) return status;
  if (out[0].dtype != DType::kFloat32) {
    return Status::Error(Code::kDType, "Resize2DGrad makes float32, not %s", NameOf(out[0].dtype));
  }
  const int64_t in_h = params.in_h;
  const int64_t out_h = params.out_h;
  const int64_t out_w = params.out_w;
  const int64_t channels = params.channels;
  const int64_t line = params.in_w * channels;
  const int64_t rows = params.batch * in_h;
  if (rows == 0 || line == 0) return {};
  void* block;
  if (Status status = context.scratch.Reserve(
          static_cast<size_t>(out_h + out_w) * sizeof(ResizePosition), &block);
      !status.ok()) {
    return status;
  }
  auto* row_positions = static_cast<ResizePosition*>(block);
  ResizePosition* cols = row_positions + out_h;
  Positions(params, {in_h, out_h}, row_positions);
  Positions(params, {params.in_w, out_w}, cols);
  const auto add_row = [&](const float* dy, float weight, float* dx) {
    if (weight == 0) return;
    for (int64_t w = 0; w < out_w; ++w, dy += channels) {
      const ResizePosition& col = cols[w];
      float* low = dx + col.low * channels;
      for (int64_t c = 0; c < channels; ++c) low[c] += dy[c] * (weight * (1 - col.fraction));
      if (col.fraction == 0) continue;
      float* high = dx + col.high * channels;
      for (int64_t c = 0; c < channels; ++c) high[c] += dy[c] * (weight * col.fraction);
    }
  };
  const int64_t useful = 1 + params.batch * out_h * out_w * channels / kElemsPerThread;
  const auto parts =
      static_cast<size_t>(useful) < context.threads ? static_cast<size_t>(useful) : context.threads;
  context.pool.Run(parts, [&](size_t part) {
    const Range range = Partition(static_cast<size_t>(rows), parts, part);
    const auto first = static_cast<int64_t>(range.begin);
    const auto last = static_cast<int64_t>(range.end);
    float* const dx = out[0].f32();
    std::memset(dx + first * line, 0, static_cast<size_t>((last - first) * line) * sizeof(float));
    if (first == last) return;
    for (int64_t n = first / in_h; n <= (last - 1) / in_h; ++n) {
      for (int64_t h = 0; h < out_h; ++h) {
        const ResizePosition& row = row_positions[h];
        const float* dy = in[0].f32() + (n * out_h + h) * out_w * channels;
        const int64_t low = n * in_h + row.low;
        const int64_t high = n * in_h + row.high;
        if (low >= first && low < last) add_row(dy, 1 - row.fraction, dx + low * line);
        if (high >= first && high < last) add_row(dy, row.fraction, dx + high * line);
      }
    }
  });
  return {};
}

}  // namespace graviton
