// Winograd's form of Conv2D (kernels/conv/winograd.h).
#include "kernels/conv/conv2d-inl.h"
#include "kernels/conv/conv_tile-inl.h"
#include "kernels/conv/epilogue-inl.h"
#include "kernels/conv/winograd_filter-inl.h"
#include "kernels/gemm/panels-inl.h"
#include "simd/vector-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

// Matrices lie a power of two apart without it: the stores of one tile would share a cache set.
constexpr int64_t kMatrixGap = 16;

// F(kOut x kOut, 3x3) of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks"
// (2016), section 4: y = Aᵀ [U ∘ (Bᵀ d B)] A with the points 0, ±1, (±2,) ∞. Each step below is one
// factor.
template <int kOut>
struct WinogradStep;

template <>
struct WinogradStep<4> {
  // Bᵀ d
  [[gnu::always_inline]] static void In(const Vf (&d)[6], Vf (&t)[6]) {
    const Vf a = d[4] - 4.0f * d[2];
    const Vf b = d[3] - 4.0f * d[1];
    const Vf c = d[4] - d[2];
    const Vf e = 2.0f * (d[3] - d[1]);
    t[0] = 4.0f * d[0] + (d[4] - 5.0f * d[2]);
    t[1] = a + b;
    t[2] = a - b;
    t[3] = c + e;
    t[4] = c - e;
    t[5] = 4.0f * d[1] + (d[5] - 5.0f * d[3]);
  }
  // Aᵀ m
  [[gnu::always_inline]] static void Out(const Vf (&m)[6], Vf (&t)[4]) {
    const Vf s12 = m[1] + m[2];
    const Vf d12 = m[1] - m[2];
    const Vf s34 = m[3] + m[4];
    const Vf d34 = m[3] - m[4];
    t[0] = m[0] + s12 + s34;
    t[1] = d12 + 2.0f * d34;
    t[2] = s12 + 4.0f * s34;
    t[3] = (d12 + 8.0f * d34) + m[5];
  }
};

template <>
struct WinogradStep<2> {
  [[gnu::always_inline]] static void In(const Vf (&d)[4], Vf (&t)[4]) {
    t[0] = d[0] - d[2];
    t[1] = d[1] + d[2];
    t[2] = d[2] - d[1];
    t[3] = d[1] - d[3];
  }
  [[gnu::always_inline]] static void Out(const Vf (&m)[4], Vf (&t)[2]) {
    t[0] = m[0] + m[1] + m[2];
    t[1] = m[1] - m[2] - m[3];
  }
};

// One vector of channels of one tile: v[point] = Bᵀ d B.
template <int kOut, bool kPart>
[[gnu::always_inline]] inline void WinogradIn(const float* const* in, int64_t c, size_t part,
                                              float* v, int64_t matrix) {
  constexpr int kIn = kOut + 2;
  Vf half[kIn][kIn];
#pragma GCC unroll 6
  for (int x = 0; x < kIn; ++x) {
    Vf d[kIn];
    Vf t[kIn];
#pragma GCC unroll 6
    for (int y = 0; y < kIn; ++y) {
      const float* from = in[y * kIn + x] + c;
      d[y] = kPart ? LoadPart(from, part) : Load(from);
    }
    WinogradStep<kOut>::In(d, t);
#pragma GCC unroll 6
    for (int y = 0; y < kIn; ++y) half[y][x] = t[y];
  }
#pragma GCC unroll 6
  for (int y = 0; y < kIn; ++y) {
    Vf t[kIn];
    WinogradStep<kOut>::In(half[y], t);
#pragma GCC unroll 6
    for (int x = 0; x < kIn; ++x) Store(v + (y * kIn + x) * matrix + c, t[x]);
  }
}

// Where the results of one tile go; those outside the image to a place that nobody reads.
struct WinogradOut {
  float* const* y;
  size_t cols;         // of this vector
  const float* bias;   // null: none
  const Clamp* clamp;  // null: none
};

// One vector of columns of one tile: y = Aᵀ m A. Returns what `check` was plus 0, or NaN where a
// result is not finite.
template <int kOut>
[[gnu::always_inline]] inline Vf WinogradResult(const float* m, int64_t matrix, int64_t col,
                                                const WinogradOut& out, Vf check) {
  constexpr int kIn = kOut + 2;
  Vf half[kOut][kIn];
#pragma GCC unroll 6
  for (int x = 0; x < kIn; ++x) {
    Vf d[kIn];
    Vf t[kOut];
#pragma GCC unroll 6
    for (int y = 0; y < kIn; ++y) d[y] = Load(m + (y * kIn + x) * matrix);
    WinogradStep<kOut>::Out(d, t);
#pragma GCC unroll 4
    for (int y = 0; y < kOut; ++y) half[y][x] = t[y];
  }
  const bool whole = out.cols == kLanes;
  Vf bias{};
  if (out.bias != nullptr) bias = whole ? Load(out.bias) : LoadPart(out.bias, out.cols);
#pragma GCC unroll 4
  for (int y = 0; y < kOut; ++y) {
    Vf t[kOut];
    WinogradStep<kOut>::Out(half[y], t);
#pragma GCC unroll 4
    for (int x = 0; x < kOut; ++x) {
      Vf result = t[x] + bias;
      check += result - result;
      if (out.clamp != nullptr) result = Clamped(result, *out.clamp);
      float* to = out.y[y * kOut + x] + col;
      if (whole) {
        Store(to, result);
      } else {
        StorePart(to, result, out.cols);
      }
    }
  }
  return check;
}

// In floats.
struct WinogradSizes {
  int64_t v_row;     // one tile in a matrix of inputs, in whole vectors
  int64_t v_matrix;  // from one matrix to the next
  int64_t m_matrix;  // the same for matrices of sums
  int64_t pixel;     // of y, in whole cache lines

  explicit WinogradSizes(const WinogradCall& call)
      : v_row(static_cast<int64_t>(VectorsOf(static_cast<size_t>(call.conv.image.in_c)) * kLanes)),
        v_matrix((call.shares ? call.tiles() : call.block) * v_row + kMatrixGap),
        m_matrix(call.block * static_cast<int64_t>(kTileCols) + kMatrixGap),
        pixel((call.conv.image.out_c + 15) / 16 * 16) {}
};

// A thread's memory.
template <int kOut>
struct WinogradWork {
  static constexpr int kIn = kOut + 2;
  static constexpr int kPoints = kIn * kIn;

  const WinogradCall& call;
  WinogradSizes sizes;
  float* m;
  float* unwanted;
  float* v;
  const float** in;    // kPoints input pixels
  const float** rows;  // of v, a block of tiles
  float** sums;        // of m, a block of tiles
  void* direct;        // scratch of the direct form
  int64_t offsets[kPoints];

  WinogradWork(const WinogradCall& winograd, void* scratch)
      : call(winograd),
        sizes(winograd),
        m(static_cast<float*>(scratch)),
        unwanted(m + kPoints * sizes.m_matrix),
        v(unwanted + sizes.pixel),
        in(reinterpret_cast<const float**>(v + (call.shares ? 0 : kPoints * sizes.v_matrix))),
        rows(in + kPoints),
        sums(const_cast<float**>(rows + call.block)),
        direct(sums + call.block) {
    if (call.shares) v = call.shared;
    const Image& image = call.conv.image;
    for (int p = 0; p < kPoints; ++p) offsets[p] = p / kIn * image.x_row + p % kIn * image.x_col;
  }

  static size_t Bytes(const WinogradCall& call) {
    const WinogradSizes sizes(call);
    const int64_t floats =
        kPoints * (sizes.m_matrix + (call.shares ? 0 : sizes.v_matrix)) + sizes.pixel;
    const int64_t pointers = kPoints + 2 * call.block;
    return static_cast<size_t>((floats * 4 + pointers * 8 + call.conv.scratch_bytes() + 63) / 64 *
                               64);
  }
};

struct WinogradPlace {
  int64_t n, h, w;  // the tile's first pixel of y
};
WinogradPlace PlaceOfTile(const WinogradCall& call, int64_t out, int64_t tile) {
  const int64_t row = tile / call.tiles_w;
  return {row / call.tiles_h, row % call.tiles_h * out, tile % call.tiles_w * out};
}

template <int kOut>
void TransformTiles(const WinogradWork<kOut>& work, int64_t first, int64_t count, float* v) {
  constexpr int kIn = kOut + 2;
  const Image& image = work.call.conv.image;
  for (int64_t i = 0; i < count; ++i, v += work.sizes.v_row) {
    const WinogradPlace at = PlaceOfTile(work.call, kOut, first + i);
    const float* x = work.call.conv.x + at.n * image.x_batch;
    const int64_t top = at.h - image.pad_top;
    const int64_t left = at.w - image.pad_left;
    if (top >= 0 && left >= 0 && top + kIn <= image.in_h && left + kIn <= image.in_w) {
      const float* corner = x + top * image.x_row + left * image.x_col;
      for (int p = 0; p < kIn * kIn; ++p) work.in[p] = corner + work.offsets[p];
    } else {
      for (int p = 0; p < kIn * kIn; ++p) {
        const int64_t row = top + p / kIn;
        const int64_t col = left + p % kIn;
        const bool inside = row >= 0 && col >= 0 && row < image.in_h && col < image.in_w;
        work.in[p] = inside ? x + row * image.x_row + col * image.x_col : work.call.conv.zeros;
      }
    }
    int64_t c = 0;
    for (; c + static_cast<int64_t>(kLanes) <= image.in_c; c += kLanes) {
      WinogradIn<kOut, false>(work.in, c, kLanes, v, work.sizes.v_matrix);
    }
    if (c < image.in_c) {
      WinogradIn<kOut, true>(work.in, c, static_cast<size_t>(image.in_c - c), v,
                             work.sizes.v_matrix);
    }
  }
}

// m[point] = v[point] · u[point] for a block of tiles and a run of columns inside one panel.
template <int kOut>
void MultiplyPoints(const WinogradWork<kOut>& work, int64_t count, size_t vector, size_t vectors) {
  const Image& image = work.call.conv.image;
  const auto depth = static_cast<size_t>(image.in_c);
  const size_t all = VectorsOf(static_cast<size_t>(image.out_c));
  for (int point = 0; point < (kOut + 2) * (kOut + 2); ++point) {
    const float* panels = work.call.panels + static_cast<size_t>(point) * depth * all * kLanes;
    const PanelPlace place = PlaceOf(panels, depth, all, vector);
    const float* next =
        point + 1 < (kOut + 2) * (kOut + 2) ? place.first + depth * all * kLanes : nullptr;
    for (int64_t k = 0; k < image.in_c; k += kDepthBlock) {
      MultiplyTiles({.rows = work.rows,
                     .row_step = 0,
                     .taps = 1,
                     .offset = point * work.sizes.v_matrix + k,
                     .depth = image.in_c - k < kDepthBlock ? image.in_c - k : kDepthBlock,
                     .panel = place.first + k * place.row,
                     .panel_row = place.row,
                     .panel_tap = 0,
                     .y = work.sums,
                     .col = point * work.sizes.m_matrix,
                     .last = kLanes,
                     .add = k > 0,
                     .bias = nullptr,
                     .clamp = nullptr},
                    count, vectors, next == nullptr ? nullptr : next + k * place.row);
    }
  }
}

// A tile in which something was not finite: an infinity or NaN that x or the filter holds spreads
// to all results of a tile, and large values overflow earlier than in the direct form, which
// decides then.
void MultiplyDirectly(const WinogradCall& call, const WinogradPlace& at, int64_t out, Range vectors,
                      void* scratch) {
  const Image& image = call.conv.image;
  const int64_t cols = image.out_w - at.w < out ? image.out_w - at.w : out;
  for (int64_t h = at.h; h < at.h + out && h < image.out_h; ++h) {
    const auto pixel = static_cast<size_t>((at.n * image.out_h + h) * image.out_w + at.w);
    MultiplyConv(call.conv, {pixel, pixel + static_cast<size_t>(cols)}, vectors, scratch);
  }
}

// Columns of a run of vectors.
struct WinogradColumns {
  int64_t first;
  size_t last;  // in the last vector
};
WinogradColumns ColumnsOf(const Image& image, size_t vector, size_t vectors) {
  const auto left_over = static_cast<size_t>(image.out_c) - (vector + vectors - 1) * kLanes;
  return {static_cast<int64_t>(vector * kLanes), left_over < kLanes ? left_over : kLanes};
}

template <int kOut>
void WriteTiles(const WinogradWork<kOut>& work, int64_t first, int64_t count, size_t vector,
                size_t vectors) {
  const ConvCall& conv = work.call.conv;
  const Image& image = conv.image;
  const WinogradColumns columns = ColumnsOf(image, vector, vectors);
  for (int64_t i = 0; i < count; ++i) {
    const WinogradPlace at = PlaceOfTile(work.call, kOut, first + i);
    float* corner = conv.y + at.n * image.y_batch + at.h * image.y_row + at.w * image.y_col;
    float* y[kOut * kOut];
    for (int p = 0; p < kOut * kOut; ++p) {
      const bool inside = at.h + p / kOut < image.out_h && at.w + p % kOut < image.out_w;
      y[p] = inside ? corner + p / kOut * image.y_row + p % kOut * image.y_col : work.unwanted;
    }
    Vf check{};
    for (size_t j = 0; j < vectors; ++j) {
      const int64_t col = columns.first + static_cast<int64_t>(j * kLanes);
      const WinogradOut out = {.y = y,
                               .cols = j + 1 < vectors ? kLanes : columns.last,
                               .bias = conv.bias == nullptr ? nullptr : conv.bias + col,
                               .clamp = conv.clamp};
      const float* m =
          work.m + i * static_cast<int64_t>(kTileCols) + static_cast<int64_t>(j * kLanes);
      check = WinogradResult<kOut>(m, work.sizes.m_matrix, col, out, check);
    }
    const float sum = SumOf(check);
    if (sum != sum) MultiplyDirectly(work.call, at, kOut, {vector, vector + vectors}, work.direct);
  }
}

template <int kOut>
void FollowTiles(const WinogradWork<kOut>& work, int64_t first, int64_t count, Range vectors) {
  const Image& image = work.call.conv.image;
  const auto begin = static_cast<int64_t>(vectors.begin * kLanes);
  const auto ends = static_cast<int64_t>(vectors.end * kLanes);
  const int64_t end = ends < image.out_c ? ends : image.out_c;
  for (int64_t i = 0; i < count; ++i) {
    const WinogradPlace at = PlaceOfTile(work.call, kOut, first + i);
    const int64_t cols = image.out_w - at.w < kOut ? image.out_w - at.w : kOut;
    for (int64_t h = at.h; h < at.h + kOut && h < image.out_h; ++h) {
      float* y =
          work.call.conv.y + at.n * image.y_batch + h * image.y_row + at.w * image.y_col + begin;
      FollowPixels(*work.call.epilogue, image, at.n, h, at.w, cols, begin, end, y);
    }
  }
}

template <int kOut>
void MultiplyWinograd(const WinogradCall& call, Range tiles, Range vectors, void* scratch) {
  const WinogradWork<kOut> work(call, scratch);
  const size_t all = VectorsOf(static_cast<size_t>(call.conv.image.out_c));
  for (auto first = static_cast<int64_t>(tiles.begin); first < static_cast<int64_t>(tiles.end);
       first += call.block) {
    const int64_t left = static_cast<int64_t>(tiles.end) - first;
    const int64_t count = left < call.block ? left : call.block;
    const float* v = call.shares ? work.v + first * work.sizes.v_row : work.v;
    if (!call.shares) TransformTiles<kOut>(work, first, count, work.v);
    for (int64_t i = 0; i < count; ++i) {
      work.rows[i] = v + i * work.sizes.v_row;
      work.sums[i] = work.m + i * static_cast<int64_t>(kTileCols);
    }
    for (size_t vector = vectors.begin; vector < vectors.end;) {
      const size_t room = PlaceOf(nullptr, 0, all, vector).vectors_after;
      const size_t here = room < vectors.end - vector ? room : vectors.end - vector;
      MultiplyPoints<kOut>(work, count, vector, here);
      WriteTiles<kOut>(work, first, count, vector, here);
      vector += here;
    }
    if (call.epilogue != nullptr) FollowTiles<kOut>(work, first, count, vectors);
  }
}

template <int kOut>
void TransformShared(const WinogradCall& call, Range tiles, void* scratch) {
  const WinogradWork<kOut> work(call, scratch);
  const auto first = static_cast<int64_t>(tiles.begin);
  TransformTiles<kOut>(work, first, static_cast<int64_t>(tiles.end - tiles.begin),
                       call.shared + first * work.sizes.v_row);
}

template <int kOut>
size_t SharedFloats(const WinogradCall& call) {
  return static_cast<size_t>((kOut + 2) * (kOut + 2) * WinogradSizes(call).v_matrix);
}

template <int kOut>
constexpr WinogradKernels MakeWinograd() {
  return {.pack = PackFilter<kOut>,
          .scratch_bytes = WinogradWork<kOut>::Bytes,
          .shared_floats = SharedFloats<kOut>,
          .transform = TransformShared<kOut>,
          .multiply = MultiplyWinograd<kOut>};
}

}  // namespace
}  // namespace graviton::GRAVITON_NS
