#include "simd/vector-inl.h"

namespace graviton::GRAVITON_NS {

struct PoolMax {
  static Vf Start() { return Splat(-__builtin_inff()); }
  // NaN is passed over, as tfjs-core's suite has it ("ignores NaNs").
  static Vf Add(Vf most, Vf x) { return x > most ? x : most; }
  static Vf Finish(Vf most, float) { return most; }
};

struct PoolAverage {
  static Vf Start() { return Vf{}; }
  static Vf Add(Vf sum, Vf x) { return sum + x; }
  static Vf Finish(Vf sum, float count) { return sum / Splat(count); }
};

// The taps of one window that lie inside the image: x points at the first of them.
struct PoolTaps {
  int64_t rows;
  int64_t cols;
  float count;
};

// One window, kVectors vectors of channels; the last holds `last` ≤ kLanes of them. Each row of the
// window has its own accumulator, so that the error of a mean grows with height + width of a global
// window, not with its area.
template <class Kind, int kVectors>
static inline void PoolWindow(const Image& image, const float* x, float* y, PoolTaps taps,
                              size_t last) {
  Vf total[kVectors];
#pragma GCC unroll 4
  for (int j = 0; j < kVectors; ++j) total[j] = Kind::Start();
  for (int64_t i = 0; i < taps.rows; ++i) {
    const float* from = x + i * image.dilation_h * image.x_row;
    Vf line[kVectors];
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) line[j] = Kind::Start();
    for (int64_t k = 0; k < taps.cols; ++k) {
      const float* at = from + k * image.dilation_w * image.x_col;
#pragma GCC unroll 4
      for (int j = 0; j + 1 < kVectors; ++j) line[j] = Kind::Add(line[j], Load(at + j * kLanes));
      constexpr int kEnd = kVectors - 1;
      const Vf end = last == kLanes ? Load(at + kEnd * kLanes) : LoadPart(at + kEnd * kLanes, last);
      line[kEnd] = Kind::Add(line[kEnd], end);
    }
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) total[j] = Kind::Add(total[j], line[j]);
  }
#pragma GCC unroll 4
  for (int j = 0; j + 1 < kVectors; ++j) Store(y + j * kLanes, Kind::Finish(total[j], taps.count));
  StorePart(y + (kVectors - 1) * kLanes, Kind::Finish(total[kVectors - 1], taps.count), last);
}

template <class Kind>
static void PoolOneRow(const Image& image, const PoolRow& row) {
  const int64_t top = row.h * image.stride_h - image.pad_top;
  const Taps rows = TapsInside(top, image.dilation_h, image.filter_h, image.in_h);
  for (int64_t w = 0; w < image.out_w; ++w) {
    const int64_t left = w * image.stride_w - image.pad_left;
    const Taps cols = TapsInside(left, image.dilation_w, image.filter_w, image.in_w);
    // Positions outside the image can be too far away even to compute.
    PoolTaps taps = {0, 0, 0};
    const float* x = row.x;
    if (rows.first < rows.last && cols.first < cols.last) {
      taps.rows = rows.last - rows.first;
      taps.cols = cols.last - cols.first;
      taps.count = static_cast<float>(taps.rows * taps.cols);
      x += (top + rows.first * image.dilation_h) * image.x_row +
           (left + cols.first * image.dilation_w) * image.x_col;
    }
    float* y = row.y + w * image.y_col;
    int64_t c = 0;
    constexpr auto kWide = static_cast<int64_t>(4 * kLanes);
    for (; c + kWide <= row.channels; c += kWide) {
      PoolWindow<Kind, 4>(image, x + c, y + c, taps, kLanes);
    }
    for (; c < row.channels; c += kLanes) {
      const auto left_over = static_cast<size_t>(row.channels - c);
      PoolWindow<Kind, 1>(image, x + c, y + c, taps, left_over < kLanes ? left_over : kLanes);
    }
  }
}

extern const PoolKernels kPoolKernels;
const PoolKernels kPoolKernels = {.max = PoolOneRow<PoolMax>, .average = PoolOneRow<PoolAverage>};

}  // namespace graviton::GRAVITON_NS
