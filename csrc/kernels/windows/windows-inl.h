namespace graviton::GRAVITON_NS {

// Plain loops over channels: the compiler makes vectors of them at every level.
static inline void AddWeighted(const float* __restrict from, const float* __restrict weights,
                               int64_t channels, float* __restrict sum) {
  if (weights == nullptr) {
    for (int64_t c = 0; c < channels; ++c) sum[c] += from[c];
  } else {
    for (int64_t c = 0; c < channels; ++c) sum[c] += from[c] * weights[c];
  }
}

// What the windows at (n, od, oh, …) with the taps (td, th, …) add to one row of x.
static inline void FoldWindows(const Windows& windows, const FoldSource& source, int64_t first,
                               int64_t tap, float* x) {
  const WindowAxis& w = windows.w;
  for (int64_t i = 0; i < w.in; ++i) {
    const Span outs = WindowsOn(w, i);
    for (int64_t o = outs.first; o < outs.last; ++o) {
      const int64_t t = w.TapOn(i, o);
      if (t < 0) continue;
      AddWeighted(
          source.cols + (first + o) * source.window + (tap + t) * source.tap,
          source.weights == nullptr ? nullptr : source.weights + (tap + t) * windows.channels,
          windows.channels, x + i * windows.channels);
    }
  }
}

static void FoldRow(const Windows& windows, const FoldSource& source, WindowRow row, float* x) {
  const WindowAxis& d = windows.d;
  const WindowAxis& h = windows.h;
  for (int64_t i = 0; i < windows.w.in * windows.channels; ++i) x[i] = 0;
  const Span depths = WindowsOn(d, row.d);
  const Span heights = WindowsOn(h, row.h);
  for (int64_t od = depths.first; od < depths.last; ++od) {
    const int64_t td = d.TapOn(row.d, od);
    if (td < 0) continue;
    for (int64_t oh = heights.first; oh < heights.last; ++oh) {
      const int64_t th = h.TapOn(row.h, oh);
      if (th < 0) continue;
      FoldWindows(windows, source, ((row.n * d.out + od) * h.out + oh) * windows.w.out,
                  (td * h.filter + th) * windows.w.filter, x);
    }
  }
}

// A comparison with NaN is false, so NaN is never the larger one.
template <bool kFilter, bool kPositions>
static inline void TakeLarger(const float* __restrict x, const float* __restrict filter,
                              int64_t channels, int32_t position, float* __restrict best,
                              int32_t* __restrict at) {
  for (int64_t c = 0; c < channels; ++c) {
    const float value = kFilter ? x[c] + filter[c] : x[c];
    const bool larger = value > best[c];
    best[c] = larger ? value : best[c];
    if (kPositions) at[c] = larger ? position + static_cast<int32_t>(c) : at[c];
  }
}

template <bool kFilter, bool kPositions>
static void MaxRow(const Windows& windows, const WindowMaxRow& from, WindowRow row) {
  const WindowAxis& w = windows.w;
  const int64_t channels = windows.channels;
  const Span depths = TapsOf(windows.d, row.d);
  const Span heights = TapsOf(windows.h, row.h);
  for (int64_t o = 0; o < w.out; ++o) {
    float* best = kPositions ? from.best : from.best + o * channels;
    int32_t* at = from.element != nullptr ? from.element : from.tap;
    if (kPositions) at += o * channels;
    for (int64_t c = 0; c < channels; ++c) {
      best[c] = -__builtin_inff();
      if (kPositions) at[c] = -1;
    }
    const Span widths = TapsOf(w, o);
    for (int64_t td = depths.first; td < depths.last; ++td) {
      const int64_t id = windows.d.origin(row.d) + td * windows.d.dilation;
      for (int64_t th = heights.first; th < heights.last; ++th) {
        const int64_t ih = windows.h.origin(row.h) + th * windows.h.dilation;
        for (int64_t tw = widths.first; tw < widths.last; ++tw) {
          const int64_t iw = w.origin(o) + tw * w.dilation;
          const int64_t element = ((id * windows.h.in + ih) * w.in + iw) * channels;
          const int64_t tap = ((td * windows.h.filter + th) * w.filter + tw) * channels;
          const int64_t position = from.element != nullptr ? from.first + element : tap;
          TakeLarger<kFilter, kPositions>(from.x + element, kFilter ? from.filter + tap : nullptr,
                                          channels, static_cast<int32_t>(position), best, at);
        }
      }
    }
  }
}

static void WindowMaxOfRow(const Windows& windows, const WindowMaxRow& from, WindowRow row) {
  const bool positions = from.element != nullptr || from.tap != nullptr;
  if (from.filter != nullptr) {
    positions ? MaxRow<true, true>(windows, from, row) : MaxRow<true, false>(windows, from, row);
  } else {
    positions ? MaxRow<false, true>(windows, from, row) : MaxRow<false, false>(windows, from, row);
  }
}

static inline void AddProducts(const float* __restrict x, const float* __restrict dy,
                               int64_t channels, int64_t multiplier, float* __restrict sum) {
  if (multiplier == 1) {
    for (int64_t c = 0; c < channels; ++c) sum[c] += x[c] * dy[c];
    return;
  }
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t m = 0; m < multiplier; ++m) {
      sum[c * multiplier + m] += x[c] * dy[c * multiplier + m];
    }
  }
}

// Each row of windows has a sum of its own, so that the error grows with rows + columns and not
// with their product.
static void FilterGrad(const Windows& windows, int64_t multiplier, const float* x, const float* dy,
                       const int64_t (&tap)[3], Span channels, float* row_sums, float* filter) {
  const WindowAxis& w = windows.w;
  const int64_t count = channels.last - channels.first;
  for (int64_t i = 0; i < count * multiplier; ++i) filter[i] = 0;
  for (int64_t n = 0; n < windows.batch; ++n) {
    for (int64_t od = 0; od < windows.d.out; ++od) {
      const int64_t id = windows.d.origin(od) + tap[0] * windows.d.dilation;
      if (id < 0 || id >= windows.d.in) continue;
      for (int64_t oh = 0; oh < windows.h.out; ++oh) {
        const int64_t ih = windows.h.origin(oh) + tap[1] * windows.h.dilation;
        if (ih < 0 || ih >= windows.h.in) continue;
        for (int64_t i = 0; i < count * multiplier; ++i) row_sums[i] = 0;
        const int64_t x_row = ((n * windows.d.in + id) * windows.h.in + ih) * w.in;
        const int64_t dy_row = ((n * windows.d.out + od) * windows.h.out + oh) * w.out;
        for (int64_t ow = 0; ow < w.out; ++ow) {
          const int64_t iw = w.origin(ow) + tap[2] * w.dilation;
          if (iw < 0 || iw >= w.in) continue;
          AddProducts(x + (x_row + iw) * windows.channels + channels.first,
                      dy + ((dy_row + ow) * windows.channels + channels.first) * multiplier, count,
                      multiplier, row_sums);
        }
        for (int64_t i = 0; i < count * multiplier; ++i) filter[i] += row_sums[i];
      }
    }
  }
}

extern const WindowKernels kWindowKernels;
const WindowKernels kWindowKernels = {
    .fold = FoldRow, .max = WindowMaxOfRow, .filter_grad = FilterGrad};

}  // namespace graviton::GRAVITON_NS
