#include "kernels/windows/windows.h"

#include <algorithm>
#include <cstring>

#include "core/ops.gen.h"
#include "kernels/movement/runs.h"
#include "threads/parts.h"

#define GRAVITON_TARGET_INCLUDE "kernels/windows/windows-inl.h"
#include "simd/foreach_target.h"

namespace graviton {
namespace {

enum class WindowMaxResult : uint32_t { kValue = 0, kElement = 1, kTap = 2 };  // src/ops/windows.ts

// Channels that a part of DepthwiseFilterGrad sums at once: their sums stay in L1.
constexpr int64_t kGradChannels = 256;

template <class Params>
Windows WindowsOf(const Params& p) {
  return {
      p.batch,
      p.channels,
      {p.in_d, p.out_d, p.filter_d, p.stride_d, p.pad_front, p.dilation_d},
      {p.in_h, p.out_h, p.filter_h, p.stride_h, p.pad_top, p.dilation_h},
      {p.in_w, p.out_w, p.filter_w, p.stride_w, p.pad_left, p.dilation_w},
  };
}

Status CheckWindows(const char* op, const Windows& windows) {
  for (const WindowAxis& axis : {windows.d, windows.h, windows.w}) {
    if (axis.stride < 1 || axis.dilation < 1) {
      return Status::Error(Code::kShape, "%s: strides and dilations must be at least 1", op);
    }
    for (const int64_t size :
         {axis.in, axis.out, axis.filter, axis.stride, axis.pad, axis.dilation}) {
      if (size > INT32_MAX) {
        return Status::Error(Code::kShape, "%s has the size or step %lld; at most 2^31 - 1", op,
                             static_cast<long long>(size));
      }
    }
  }
  return {};
}

// Elements of x, of the windows (without channels) and of a filter; -1 where no buffer is so large.
int64_t ImageElems(const Windows& w) {
  return ProductOf(w.batch, w.d.in, w.h.in, w.w.in, w.channels);
}
int64_t WindowCount(const Windows& w) { return ProductOf(w.batch, w.d.out, w.h.out, w.w.out); }
int64_t FilterElems(const Windows& w) {
  return ProductOf(w.d.filter, w.h.filter, w.w.filter, w.channels);
}

// `elems` = -1 is refused by CheckDense itself.
Status CheckBoth(const char* x_name, const Operand& x, int64_t x_elems, const char* y_name,
                 const Operand& y, int64_t y_elems, DType y_dtype = DType::kFloat32) {
  if (Status s = CheckDense(x_name, x, DType::kFloat32, x_elems); !s.ok()) return s;
  return CheckDense(y_name, y, y_dtype, y_elems);
}

// Calls row({n, d, h}) for the rows that lie in `range` of [batch, d, h].
template <class Body>
void ForRows(Range range, int64_t d, int64_t h, const Body& body) {
  for (auto i = static_cast<int64_t>(range.begin); i < static_cast<int64_t>(range.end); ++i) {
    body(WindowRow{i / h / d, i / h % d, i % h}, i);
  }
}

void UnfoldRow(const Windows& windows, const float* x, WindowRow row, float* cols) {
  const WindowAxis& w = windows.w;
  const int64_t channels = windows.channels;
  const auto line_bytes = static_cast<size_t>(w.filter * channels) * sizeof(float);
  for (int64_t o = 0; o < w.out; ++o) {
    const Span taps = TapsOf(w, o);
    for (int64_t td = 0; td < windows.d.filter; ++td) {
      const int64_t id = windows.d.origin(row.d) + td * windows.d.dilation;
      for (int64_t th = 0; th < windows.h.filter; ++th, cols += w.filter * channels) {
        const int64_t ih = windows.h.origin(row.h) + th * windows.h.dilation;
        const bool inside = id >= 0 && id < windows.d.in && ih >= 0 && ih < windows.h.in;
        if (!inside || taps.last - taps.first < w.filter) std::memset(cols, 0, line_bytes);
        if (!inside || taps.first == taps.last) continue;
        const float* line = x + ((row.n * windows.d.in + id) * windows.h.in + ih) * w.in * channels;
        const int64_t iw = w.origin(o) + taps.first * w.dilation;
        if (w.dilation == 1) {
          std::memcpy(cols + taps.first * channels, line + iw * channels,
                      static_cast<size_t>((taps.last - taps.first) * channels) * sizeof(float));
          continue;
        }
        for (int64_t t = taps.first; t < taps.last; ++t) {
          CopyRun(
              reinterpret_cast<char*>(cols + t * channels),
              reinterpret_cast<const char*>(line + (iw + (t - taps.first) * w.dilation) * channels),
              static_cast<size_t>(channels) * sizeof(float));
        }
      }
    }
  }
}

}  // namespace

Status Unfold(const StepContext& context, const UnfoldParams& params, Operands in, Operands out) {
  const Windows windows = WindowsOf(params);
  if (Status s = CheckWindows("Unfold", windows); !s.ok()) return s;
  const int64_t filter = FilterElems(windows);
  const int64_t count = WindowCount(windows);
  const int64_t elems = filter < 0 || count < 0 ? -1 : ProductOf(filter, count);
  if (Status s = CheckBoth("Unfold x", in[0], ImageElems(windows), "Unfold cols", out[0], elems);
      !s.ok()) {
    return s;
  }
  if (elems == 0) return {};
  const auto rows = static_cast<size_t>(count / windows.w.out);
  const size_t parts = std::min(PartsFor(context, elems * 8), rows);
  context.pool.Run(parts, [&](size_t part) {
    ForRows(Partition(rows, parts, part), windows.d.out, windows.h.out,
            [&](WindowRow row, int64_t i) {
              UnfoldRow(windows, in[0].f32(), row, out[0].f32() + i * windows.w.out * filter);
            });
  });
  return {};
}

Status Fold(const StepContext& context, const FoldParams& params, Operands in, Operands out) {
  const Windows windows = WindowsOf(params);
  if (Status s = CheckWindows("Fold", windows); !s.ok()) return s;
  const int64_t elems = ImageElems(windows);
  const int64_t filter = FilterElems(windows);
  const int64_t count = WindowCount(windows);
  if (elems < 0 || filter < 0 || count < 0) {
    return Status::Error(Code::kShape, "Fold: its sizes are larger than any buffer");
  }
  const bool empty = filter == 0 || count == 0;
  if (!empty && params.cols_window < params.channels) {
    return Status::Error(Code::kShape, "Fold: windows %u elements apart overlap",
                         params.cols_window);
  }
  const int64_t tap_reach = empty ? 0 : (windows.taps() - 1) * int64_t{params.cols_tap};
  int64_t reach = 0;
  if (!empty && (__builtin_mul_overflow(count - 1, int64_t{params.cols_window}, &reach) ||
                 __builtin_add_overflow(reach, tap_reach + windows.channels, &reach))) {
    reach = -1;
  }
  if (Status s = CheckBoth("Fold cols", in[0], reach, "Fold x", out[0], elems); !s.ok()) return s;
  if (in[1].given()) {
    if (Status s = CheckDense("Fold weights", in[1], DType::kFloat32, filter); !s.ok()) return s;
  }
  if (elems == 0) return {};
  if (empty) {
    std::memset(out[0].data, 0, static_cast<size_t>(elems) * sizeof(float));
    return {};
  }
  const FoldSource source = {in[0].f32(), in[1].f32(), params.cols_window, params.cols_tap};
  const auto fold = SelectkWindowKernels(context.isa)->fold;
  const int64_t row_elems = windows.w.in * windows.channels;
  const auto rows = static_cast<size_t>(elems / row_elems);
  const double work_ns = 0.5 * static_cast<double>(count) * static_cast<double>(filter);
  const size_t parts = PartsFor(context.threads, rows, work_ns);
  context.pool.Run(parts, [&](size_t part) {
    ForRows(Partition(rows, parts, part), windows.d.in, windows.h.in,
            [&](WindowRow row, int64_t i) {
              fold(windows, source, row, out[0].f32() + i * row_elems);
            });
  });
  return {};
}

Status WindowMax(const StepContext& context, const WindowMaxParams& params, Operands in,
                 Operands out) {
  const Windows windows = WindowsOf(params);
  if (Status s = CheckWindows("WindowMax", windows); !s.ok()) return s;
  if (params.result > static_cast<uint32_t>(WindowMaxResult::kTap)) {
    return Status::Error(Code::kInvalidStep, "WindowMax has no result %u", params.result);
  }
  const auto result = static_cast<WindowMaxResult>(params.result);
  const int64_t x_elems = ImageElems(windows);
  const int64_t count = WindowCount(windows);
  const int64_t elems = count < 0 ? -1 : ProductOf(count, windows.channels);
  const bool values = result == WindowMaxResult::kValue;
  if (Status s = CheckBoth("WindowMax x", in[0], x_elems, "WindowMax y", out[0], elems,
                           values ? DType::kFloat32 : DType::kInt32);
      !s.ok()) {
    return s;
  }
  const int64_t filter = FilterElems(windows);
  if (in[1].given()) {
    if (Status s = CheckDense("WindowMax filter", in[1], DType::kFloat32, filter); !s.ok()) {
      return s;
    }
  }
  if (x_elems > INT32_MAX ||
      (result == WindowMaxResult::kTap && (filter < 0 || filter > INT32_MAX))) {
    return Status::Error(Code::kShape, "WindowMax: positions beyond 2^31 - 1 are not int32");
  }
  if (elems == 0) return {};
  const auto max = SelectkWindowKernels(context.isa)->max;
  const auto rows = static_cast<size_t>(count / windows.w.out);
  const auto taps = static_cast<double>(std::min(windows.d.filter, windows.d.in)) *
                    static_cast<double>(std::min(windows.h.filter, windows.h.in)) *
                    static_cast<double>(std::min(windows.w.filter, windows.w.in));
  const size_t parts = PartsFor(context.threads, rows, static_cast<double>(elems) * (1 + taps));
  void* scratch = nullptr;
  const auto line = WholeLines(static_cast<size_t>(windows.channels));
  if (!values) {
    if (Status s = context.scratch.Reserve(parts * line * sizeof(float), &scratch); !s.ok()) {
      return s;
    }
  }
  const int64_t row_elems = windows.w.out * windows.channels;
  context.pool.Run(parts, [&](size_t part) {
    ForRows(Partition(rows, parts, part), windows.d.out, windows.h.out,
            [&](WindowRow row, int64_t i) {
              const WindowMaxRow from = {
                  .x = in[0].f32() + row.n * windows.image(),
                  .filter = in[1].f32(),
                  .first = params.across_batch ? row.n * windows.image() : 0,
                  .best = values ? out[0].f32() + i * row_elems
                                 : static_cast<float*>(scratch) + part * line,
                  .element =
                      result == WindowMaxResult::kElement ? out[0].i32() + i * row_elems : nullptr,
                  .tap = result == WindowMaxResult::kTap ? out[0].i32() + i * row_elems : nullptr};
              max(windows, from, row);
            });
  });
  return {};
}

Status DepthwiseFilterGrad(const StepContext& context, const DepthwiseFilterGradParams& params,
                           Operands in, Operands out) {
  const Windows windows = WindowsOf(params);
  if (Status s = CheckWindows("DepthwiseFilterGrad", windows); !s.ok()) return s;
  const int64_t count = WindowCount(windows);
  const int64_t dy_elems = count < 0 ? -1 : ProductOf(count, windows.channels, params.multiplier);
  const int64_t filter = FilterElems(windows);
  const int64_t elems = filter < 0 ? -1 : ProductOf(filter, params.multiplier);
  if (Status s = CheckBoth("DepthwiseFilterGrad x", in[0], ImageElems(windows),
                           "DepthwiseFilterGrad dy", in[1], dy_elems);
      !s.ok()) {
    return s;
  }
  if (Status s = CheckDense("DepthwiseFilterGrad filter", out[0], DType::kFloat32, elems);
      !s.ok()) {
    return s;
  }
  if (elems == 0) return {};
  const auto grad = SelectkWindowKernels(context.isa)->filter_grad;
  const int64_t multiplier = params.multiplier;
  const int64_t blocks = (windows.channels + kGradChannels - 1) / kGradChannels;
  const auto items = static_cast<size_t>(windows.taps() * blocks);
  const double work_ns = 0.3 * static_cast<double>(dy_elems) * static_cast<double>(windows.taps());
  const size_t parts = PartsFor(context.threads, items, work_ns);
  void* scratch = nullptr;
  const auto sums =
      WholeLines(static_cast<size_t>(std::min(kGradChannels, windows.channels) * multiplier));
  if (Status s = context.scratch.Reserve(parts * sums * sizeof(float), &scratch); !s.ok()) {
    return s;
  }
  context.pool.Run(parts, [&](size_t part) {
    const Range range = Partition(items, parts, part);
    for (auto i = static_cast<int64_t>(range.begin); i < static_cast<int64_t>(range.end); ++i) {
      const int64_t t = i / blocks;
      const int64_t tap[3] = {t / windows.w.filter / windows.h.filter,
                              t / windows.w.filter % windows.h.filter, t % windows.w.filter};
      const int64_t first = i % blocks * kGradChannels;
      const Span channels = {first, std::min(first + kGradChannels, windows.channels)};
      grad(windows, multiplier, in[0].f32(), in[1].f32(), tap, channels,
           static_cast<float*>(scratch) + part * sums,
           out[0].f32() + (t * windows.channels + first) * multiplier);
    }
  });
  return {};
}

}  // namespace graviton
