#include "kernels/conv/epilogue-inl.h"
#include "simd/vector-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

constexpr int64_t kTileH = 2;
// Image networks halve 224: seven divides every width that they have. 14 sums, the weights of two
// filter rows and an input fill 32 registers; of 16, 8 sums leave as much.
#if defined(__aarch64__) || GRAVITON_VECTOR_BYTES == 64
constexpr int64_t kTileW = 7;
#else
constexpr int64_t kTileW = 4;
#endif
constexpr auto kVector = static_cast<int64_t>(kLanes);

// One tile: `in` points to the input pixels, row by row, `y` to the results.
struct DepthwiseTile {
  const float* const* in;
  float* const* y;
  // For each vector of channels: the bias and then each tap.
  const float* weights;
  int64_t channels;
  int64_t taps;
  const Clamp* clamp;  // null: none
};

// Weights of the channels from `first` on: as many as fill a vector, the rest 0.
void PackVector(const DepthwiseCall& call, int64_t first, int64_t count, float* packed) {
  const int64_t taps = call.taps();
  const auto lanes = static_cast<size_t>(count < kVector ? count : kVector);
  Store(packed, call.bias == nullptr ? Vf{} : LoadPart(call.bias + first, lanes));
  for (int64_t tap = 0; tap < taps; ++tap) {
    Store(packed + (1 + tap) * kVector,
          LoadPart(call.filter + tap * call.image.out_c + first, lanes));
  }
}

// Where the last vector of so many channels starts: it overlaps the one before rather than reach
// beyond the pixel.
int64_t LastVector(int64_t channels) { return channels < kVector ? 0 : channels - kVector; }
int64_t DepthwiseVectors(int64_t channels) { return (channels + kVector - 1) / kVector; }

// The vectors of `channels`, by their first channel.
template <class Body>
[[gnu::always_inline]] inline void ForVectors(int64_t channels, Body&& body) {
  const int64_t last = LastVector(channels);
  for (int64_t c = 0; c < last; c += kVector) body(c);
  body(last);
}

template <int kFilter, int kStride, int kRows>
void FixedTile(const DepthwiseTile& t) {
  constexpr int kCols = kTileW;
  constexpr int kInRows = (kRows - 1) * kStride + kFilter;
  constexpr int kInCols = (kCols - 1) * kStride + kFilter;
  const float* weights = t.weights;
  ForVectors(t.channels, [&](int64_t c) __attribute__((always_inline)) {
    Vf sums[kRows][kCols];
    const Vf bias = Load(weights);
#pragma GCC unroll 2
    for (int o = 0; o < kRows; ++o) {
#pragma GCC unroll 8
      for (int p = 0; p < kCols; ++p) sums[o][p] = bias;
    }
#pragma GCC unroll 8
    for (int r = 0; r < kInRows; ++r) {
#pragma GCC unroll 32
      for (int q = 0; q < kInCols; ++q) {
        const Vf x = Load(t.in[r * kInCols + q] + c);
#pragma GCC unroll 2
        for (int o = 0; o < kRows; ++o) {
          const int i = r - o * kStride;
          if (i < 0 || i >= kFilter) continue;
#pragma GCC unroll 8
          for (int p = 0; p < kCols; ++p) {
            const int j = q - p * kStride;
            if (j < 0 || j >= kFilter) continue;
            sums[o][p] += x * Load(weights + (1 + i * kFilter + j) * kVector);
          }
        }
      }
    }
    if (t.clamp != nullptr) {
#pragma GCC unroll 2
      for (int o = 0; o < kRows; ++o) {
#pragma GCC unroll 8
        for (int p = 0; p < kCols; ++p) sums[o][p] = Clamped(sums[o][p], *t.clamp);
      }
    }
#pragma GCC unroll 2
    for (int o = 0; o < kRows; ++o) {
#pragma GCC unroll 8
      for (int p = 0; p < kCols; ++p) Store(t.y[o * kCols + p] + c, sums[o][p]);
    }
    weights += (1 + kFilter * kFilter) * kVector;
  });
}

// Any window: `in` points to the pixels of tap 0, then of tap 1, … One row of pixels, and fewer
// channels than a vector.
template <bool kPart>
void AnyTile(const DepthwiseTile& t) {
  const float* weights = t.weights;
  const auto part = static_cast<size_t>(t.channels);
  ForVectors(t.channels, [&](int64_t c) __attribute__((always_inline)) {
    Vf sums[kTileW];
#pragma GCC unroll 8
    for (int p = 0; p < kTileW; ++p) sums[p] = Load(weights);
    weights += kVector;
    const float* const* in = t.in;
    for (int64_t tap = 0; tap < t.taps; ++tap) {
      const Vf weight = Load(weights);
#pragma GCC unroll 8
      for (int p = 0; p < kTileW; ++p) {
        sums[p] += (kPart ? LoadPart(in[p], part) : Load(in[p] + c)) * weight;
      }
      in += kTileW;
      weights += kVector;
    }
    if (t.clamp != nullptr) {
#pragma GCC unroll 8
      for (int p = 0; p < kTileW; ++p) sums[p] = Clamped(sums[p], *t.clamp);
    }
#pragma GCC unroll 8
    for (int p = 0; p < kTileW; ++p) {
      if (kPart) {
        StorePart(t.y[p], sums[p], part);
      } else {
        Store(t.y[p] + c, sums[p]);
      }
    }
  });
}

using DepthwiseTileFunction = void (*)(const DepthwiseTile&);

// Which tile a call uses, and the input pixels that it points to.
struct DepthwiseShape {
  DepthwiseTileFunction two_rows;  // null: rows one by one
  DepthwiseTileFunction one_row;
  bool by_tap;  // pointers in the order of taps, not of pixels
};
DepthwiseShape ShapeOf(const DepthwiseCall& call, int64_t channels) {
  const Image& i = call.image;
  const bool square = i.filter_h == i.filter_w && i.stride_h == i.stride_w && i.dilation_h == 1 &&
                      i.dilation_w == 1 && channels >= kVector;
  if (square && i.filter_h == 3 && i.stride_h == 1)
    return {FixedTile<3, 1, 2>, FixedTile<3, 1, 1>, false};
  if (square && i.filter_h == 3 && i.stride_h == 2)
    return {FixedTile<3, 2, 2>, FixedTile<3, 2, 1>, false};
  if (square && i.filter_h == 5 && i.stride_h == 1)
    return {FixedTile<5, 1, 2>, FixedTile<5, 1, 1>, false};
  if (square && i.filter_h == 5 && i.stride_h == 2)
    return {FixedTile<5, 2, 2>, FixedTile<5, 2, 1>, false};
  return {nullptr, channels < kVector ? AnyTile<true> : AnyTile<false>, true};
}

int64_t MostPointers(const DepthwiseCall& call) {
  const Image& i = call.image;
  const int64_t by_tap = call.taps() * kTileW;
  const int64_t fixed =
      i.filter_h > 5 || i.filter_w > 5 ? 0 : (kTileH + 5) * ((kTileW - 1) * 2 + 5);
  return by_tap > fixed ? by_tap : fixed;
}

size_t DepthwiseScratch(const DepthwiseCall& call, int64_t channels) {
  // Weights, a pixel for results that nobody wants, pointers, offsets.
  const int64_t floats =
      (DepthwiseVectors(channels) * (1 + call.taps()) + DepthwiseVectors(channels)) * kVector;
  const int64_t words = 2 * MostPointers(call);
  return static_cast<size_t>((floats * 4 + words * 8 + 63) / 64 * 64);
}

// One thread's share.
struct DepthwiseWork {
  const DepthwiseCall& call;
  Range channels;
  DepthwiseShape shape;
  float* weights;
  float* unwanted;
  const float** in;
  int64_t* offsets;  // of `in` from a tile's first pixel, where all lie inside

  int64_t first_channel() const { return static_cast<int64_t>(channels.begin); }
  int64_t count() const { return static_cast<int64_t>(channels.end - channels.begin); }
};

// Calls body(index, row, col) for each input pixel of a tile of `tile_rows` rows.
template <class Body>
[[gnu::always_inline]] inline void ForInputs(const DepthwiseWork& work, int64_t tile_rows,
                                             Body&& body) {
  const Image& i = work.call.image;
  int64_t index = 0;
  if (work.shape.by_tap) {
    for (int64_t tap_h = 0; tap_h < i.filter_h; ++tap_h) {
      for (int64_t tap_w = 0; tap_w < i.filter_w; ++tap_w) {
        for (int64_t p = 0; p < kTileW; ++p) {
          body(index++, tap_h * i.dilation_h, tap_w * i.dilation_w + p * i.stride_w);
        }
      }
    }
    return;
  }
  const int64_t rows = (tile_rows - 1) * i.stride_h + i.filter_h;
  const int64_t cols = (kTileW - 1) * i.stride_w + i.filter_w;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t col = 0; col < cols; ++col) body(index++, row, col);
  }
}

// Of a tile of this height. Pixels of results that nobody wants may lie outside, too.
int64_t FillOffsets(const DepthwiseWork& work, int64_t tile_rows) {
  int64_t count = 0;
  ForInputs(work, tile_rows, [&](int64_t index, int64_t row, int64_t col) {
    // Beyond the image, where only the slow way leads, this may be any number: unsigned, it wraps.
    work.offsets[index] = static_cast<int64_t>(
        static_cast<uint64_t>(row) * static_cast<uint64_t>(work.call.image.x_row) +
        static_cast<uint64_t>(col) * static_cast<uint64_t>(work.call.image.x_col));
    count = index + 1;
  });
  return count;
}

void PointToInputs(const DepthwiseWork& work, int64_t n, int64_t h, int64_t w, int64_t tile_rows,
                   int64_t inputs) {
  const Image& i = work.call.image;
  const float* x = work.call.x + n * i.x_batch + work.first_channel();
  const float* zeros = work.call.zeros;
  const int64_t top = h * i.stride_h - i.pad_top;
  const int64_t left = w * i.stride_w - i.pad_left;
  const int64_t bottom = top + (tile_rows - 1) * i.stride_h + (i.filter_h - 1) * i.dilation_h;
  const int64_t right = left + (kTileW - 1) * i.stride_w + (i.filter_w - 1) * i.dilation_w;
  if (top >= 0 && left >= 0 && bottom < i.in_h && right < i.in_w) {
    const float* first = x + top * i.x_row + left * i.x_col;
    for (int64_t k = 0; k < inputs; ++k) work.in[k] = first + work.offsets[k];
    return;
  }
  ForInputs(work, tile_rows, [&](int64_t index, int64_t row, int64_t col) {
    const int64_t r = top + row;
    const int64_t c = left + col;
    const bool inside = r >= 0 && c >= 0 && r < i.in_h && c < i.in_w;
    work.in[index] = inside ? x + r * i.x_row + c * i.x_col : zeros;
  });
}

// `tile_rows` rows of y from row h on.
void RunTiles(const DepthwiseWork& work, int64_t n, int64_t h, int64_t tile_rows, int64_t inputs) {
  const Image& i = work.call.image;
  float* row = work.call.y + n * i.y_batch + h * i.y_row + work.first_channel();
  float* y[kTileH * kTileW];
  const DepthwiseTile tile = {.in = work.in,
                              .y = y,
                              .weights = work.weights,
                              .channels = work.count(),
                              .taps = work.call.taps(),
                              .clamp = work.call.clamp};
  const DepthwiseTileFunction run = tile_rows == kTileH ? work.shape.two_rows : work.shape.one_row;
  for (int64_t w = 0; w < i.out_w; w += kTileW) {
    PointToInputs(work, n, h, w, tile_rows, inputs);
    const int64_t cols = i.out_w - w < kTileW ? i.out_w - w : kTileW;
    for (int64_t o = 0; o < tile_rows; ++o) {
      for (int64_t p = 0; p < kTileW; ++p) {
        y[o * kTileW + p] = p < cols ? row + o * i.y_row + (w + p) * i.y_col : work.unwanted;
      }
    }
    run(tile);
    if (work.call.epilogue == nullptr) continue;
    for (int64_t o = 0; o < tile_rows; ++o) {
      FollowPixels(*work.call.epilogue, i, n, h + o, w, cols, work.first_channel(),
                   work.first_channel() + work.count(), y[o * kTileW]);
    }
  }
}

DepthwiseWork Prepare(const DepthwiseCall& call, Range channels, void* scratch) {
  const auto count = static_cast<int64_t>(channels.end - channels.begin);
  auto* weights = static_cast<float*>(scratch);
  float* unwanted = weights + DepthwiseVectors(count) * (1 + call.taps()) * kVector;
  auto** in = reinterpret_cast<const float**>(unwanted + DepthwiseVectors(count) * kVector);
  float* packed = weights;
  ForVectors(count, [&](int64_t c) {
    PackVector(call, static_cast<int64_t>(channels.begin) + c, count - c, packed);
    packed += (1 + call.taps()) * kVector;
  });
  return {.call = call,
          .channels = channels,
          .shape = ShapeOf(call, count),
          .weights = weights,
          .unwanted = unwanted,
          .in = in,
          .offsets = reinterpret_cast<int64_t*>(in + MostPointers(call))};
}

void DepthwiseRows(const DepthwiseCall& call, Range rows, Range channels, void* scratch) {
  const DepthwiseWork work = Prepare(call, channels, scratch);
  const int64_t out_h = call.image.out_h;
  int64_t filled = 0;  // the tile height of the offsets
  int64_t inputs = 0;
  for (auto row = static_cast<int64_t>(rows.begin); row < static_cast<int64_t>(rows.end);) {
    const int64_t n = row / out_h;
    const int64_t h = row % out_h;
    int64_t tile_rows = work.shape.two_rows == nullptr ? 1 : kTileH;
    if (out_h - h < tile_rows || static_cast<int64_t>(rows.end) - row < tile_rows) tile_rows = 1;
    if (tile_rows != filled) inputs = FillOffsets(work, tile_rows);
    filled = tile_rows;
    RunTiles(work, n, h, tile_rows, inputs);
    row += tile_rows;
  }
}

void Repeat(const float* x, int64_t count, int64_t multiplier, float* y) {
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t k = 0; k < multiplier; ++k) y[i * multiplier + k] = x[i];
  }
}

}  // namespace

extern const DepthwiseKernels kDepthwise;
const DepthwiseKernels kDepthwise = {
    .tile_h = kTileH, .scratch_bytes = DepthwiseScratch, .rows = DepthwiseRows, .repeat = Repeat};

}  // namespace graviton::GRAVITON_NS
