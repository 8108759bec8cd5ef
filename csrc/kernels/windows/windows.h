// Windows over x[batch, d, h, w, channels]; tap t of the window at o lies at o · stride − pad +
// t · dilation on each axis, and those outside x are left out.
//   Unfold:              cols[window, tap, c] = x[tap of window, c], 0 outside
//   Fold:                x[i, c] = Σ cols[window, tap, c] · weights[tap, c] over what falls on i
//   WindowMax:           max over taps of x[tap of window, c] + filter[tap, c], or where it is
//   DepthwiseFilterGrad: filter[tap, c, m] = Σ x[tap of window, c] · dy[window, c, m]
#ifndef GRAVITON_KERNELS_WINDOWS_WINDOWS_H_
#define GRAVITON_KERNELS_WINDOWS_WINDOWS_H_

#include <cstdint>

#include "simd/dispatch.h"

namespace graviton {

// Every size and step is below 2^31 (CheckWindows), so that positions fit int64.
struct WindowAxis {
  int64_t in, out, filter, stride, pad, dilation;

  int64_t origin(int64_t o) const { return o * stride - pad; }
  // The tap of window `o` that falls on `i`, or -1.
  int64_t TapOn(int64_t i, int64_t o) const {
    const int64_t distance = i - origin(o);
    if (distance < 0 || distance % dilation != 0 || distance / dilation >= filter) return -1;
    return distance / dilation;
  }
};

struct Windows {
  int64_t batch, channels;
  WindowAxis d, h, w;

  int64_t taps() const { return d.filter * h.filter * w.filter; }
  int64_t image() const { return d.in * h.in * w.in * channels; }
};

// Half-open. The taps of a window that lie inside x, or the windows that may reach a position.
struct Span {
  int64_t first;
  int64_t last;
};

// Computed, not searched: a window may have any number of taps.
inline Span TapsOf(const WindowAxis& axis, int64_t o) {
  const int64_t origin = axis.origin(o);
  const int64_t first = origin >= 0 ? 0 : (-origin + axis.dilation - 1) / axis.dilation;
  const int64_t room = axis.in - origin;  // taps at distances below this are inside
  int64_t last = room <= 0 ? 0 : (room + axis.dilation - 1) / axis.dilation;
  if (last > axis.filter) last = axis.filter;
  return {first, last < first ? first : last};
}

inline Span WindowsOn(const WindowAxis& axis, int64_t i) {
  const int64_t at = i + axis.pad;
  int64_t last = at / axis.stride + 1;
  if (last > axis.out) last = axis.out;
  const int64_t before = at - (axis.filter - 1) * axis.dilation;
  const int64_t first = before <= 0 ? 0 : (before + axis.stride - 1) / axis.stride;
  return {first, last < first ? first : last};
}

// One row of positions along w: of windows (Unfold, WindowMax) or of x (Fold).
struct WindowRow {
  int64_t n, d, h;
};

struct FoldSource {
  const float* cols;
  const float* weights;  // null: 1
  int64_t window;        // elements from one window to the next
  int64_t tap;
};

struct WindowMaxRow {
  const float* x;       // of the image
  const float* filter;  // null: 0
  int64_t first;        // number of the image's first element
  float* best;          // row of values, or, where positions are wanted, `channels` floats
  int32_t* element;     // row of positions in x, or null
  int32_t* tap;         // row of positions in the filter, or null
};

struct WindowKernels {
  void (*fold)(const Windows& windows, const FoldSource& source, WindowRow row, float* x);
  void (*max)(const Windows& windows, const WindowMaxRow& from, WindowRow row);
  // filter[c, m] of one tap, for the x channels in `channels`.
  void (*filter_grad)(const Windows& windows, int64_t multiplier, const float* x, const float* dy,
                      const int64_t (&tap)[3], Span channels, float* row_sums, float* filter);
};
GRAVITON_DISPATCH(WindowKernels, kWindowKernels)

}  // namespace graviton

#endif  // GRAVITON_KERNELS_WINDOWS_WINDOWS_H_
