// The direct form of Conv2D (kernels/conv/conv2d.h).
#include "kernels/conv/conv_tile-inl.h"
#include "kernels/conv/epilogue-inl.h"
#include "kernels/gemm/panels-inl.h"
#include "simd/vector-inl.h"

// clang-format off
#if (GRAVITON_VECTOR_BYTES == 16 && !defined(GRAVITON_CONV2D_16)) || \
    (GRAVITON_VECTOR_BYTES == 32 && !defined(GRAVITON_CONV2D_32)) || \
    (GRAVITON_VECTOR_BYTES == 64 && !defined(GRAVITON_CONV2D_64))
#if GRAVITON_VECTOR_BYTES == 16
#define GRAVITON_CONV2D_16
#elif GRAVITON_VECTOR_BYTES == 32
#define GRAVITON_CONV2D_32
#else
#define GRAVITON_CONV2D_64
#endif
// clang-format on

namespace graviton::GRAVITON_NS {
namespace {

// Pixels of a block: where each tap reads, and where the results go.
struct ConvPixels {
  const float** taps;  // [tap][pixel], `step` apart
  float** y;
  int64_t step;
  int64_t first;
  int64_t count;
};

// Position of a pixel, walked in the order (n, h, w).
struct PixelWalk {
  int64_t n, h, w;
  PixelWalk(const Image& image, int64_t pixel)
      : n(pixel / image.out_w / image.out_h),
        h(pixel / image.out_w % image.out_h),
        w(pixel % image.out_w) {}
  // How many of the next `most` pixels lie in the same row.
  int64_t RunOf(const Image& image, int64_t most) const {
    return image.out_w - w < most ? image.out_w - w : most;
  }
  // Not beyond the row's end.
  void Skip(const Image& image, int64_t pixels) {
    w += pixels;
    if (w < image.out_w) return;
    w = 0;
    if (++h < image.out_h) return;
    h = 0;
    ++n;
  }
};

// One filter row of a pixel at the left or right edge, taps outside as zeros.
void CopyEdge(const Image& image, const float* row, int64_t left, float* edge) {
  for (int64_t j = 0; j < image.filter_w; ++j) {
    const int64_t col = left + j;
    const bool inside = col >= 0 && col < image.in_w;
    for (int64_t c = 0; c < image.in_c; ++c) {
      edge[j * image.in_c + c] = inside ? row[col * image.x_col + c] : 0;
    }
  }
}

// Where one tap falls for pixels [w, w + count) of a row: into the image for [first, last) of them.
struct TapRun {
  int64_t first;
  int64_t last;
  const float* x;  // of pixel `first`
};
TapRun RunOfTap(const Image& image, const float* row, int64_t offset, int64_t width, int64_t w,
                int64_t count) {
  // Columns w · s + offset … of which the tap covers `width`.
  const int64_t s = image.stride_w;
  const int64_t at = w * s + offset;
  const int64_t skip = at >= 0 ? 0 : (-at + s - 1) / s;
  const int64_t room = image.in_w - width - at;
  const int64_t fit = room < 0 ? 0 : room / s + 1;
  TapRun run = {skip < count ? skip : count, fit < count ? fit : count, row};
  if (run.last < run.first) run.last = run.first;
  if (run.last > run.first) run.x += (at + run.first * s) * image.x_col;
  return run;
}

// Pointers of one filter row: from the pixel that they start at.
void PointToRow(const ConvCall& call, const PixelWalk& at, int64_t count, const float* row,
                const float** to, int64_t step, float* edges) {
  const Image& image = call.image;
  const int64_t advance = image.stride_w * image.x_col;
  const int64_t taps = call.joined ? 1 : image.filter_w;
  const int64_t width = call.joined ? image.filter_w : 1;
  for (int64_t j = 0; j < taps; ++j, to += step) {
    const int64_t offset = j * image.dilation_w - image.pad_left;
    TapRun run = {count, count, nullptr};
    if (row != nullptr) run = RunOfTap(image, row, offset, width, at.w, count);
    for (int64_t p = run.first; p < run.last; ++p) to[p] = run.x + (p - run.first) * advance;
    const auto outside = [&](int64_t p) {
      to[p] = call.zeros;
      if (!call.joined || row == nullptr) return;
      to[p] = edges + p * image.filter_h * call.depth();
      CopyEdge(image, row, (at.w + p) * image.stride_w + offset,
               edges + p * image.filter_h * call.depth());
    };
    for (int64_t p = 0; p < run.first; ++p) outside(p);
    for (int64_t p = run.last; p < count; ++p) outside(p);
  }
}

// Pointers of `count` pixels of one row, from pixel p of the block on.
void PointToTaps(const ConvCall& call, const PixelWalk& at, int64_t count, int64_t p,
                 const ConvPixels& pixels, float* edges) {
  const Image& image = call.image;
  const float* x = call.x + at.n * image.x_batch;
  const int64_t top = at.h * image.stride_h - image.pad_top;
  const float** to = pixels.taps + p;
  float* copies = edges + p * image.filter_h * call.depth();
  for (int64_t i = 0; i < image.filter_h; ++i) {
    const int64_t row = top + i * image.dilation_h;
    const bool inside = row >= 0 && row < image.in_h;
    PointToRow(call, at, count, inside ? x + row * image.x_row : nullptr, to, pixels.step,
               copies + i * call.depth());
    to += pixels.step * (call.joined ? 1 : image.filter_w);
  }
}

ConvPixels PointToPixels(const ConvCall& call, Range range, void* scratch) {
  auto* edges = static_cast<float*>(scratch);
  auto** taps = reinterpret_cast<const float**>(edges + call.edge_floats());
  ConvPixels pixels = {.taps = taps,
                       .y = const_cast<float**>(taps + call.block * call.taps()),
                       .step = call.block,
                       .first = static_cast<int64_t>(range.begin),
                       .count = static_cast<int64_t>(range.end - range.begin)};
  const Image& image = call.image;
  PixelWalk at(image, pixels.first);
  for (int64_t p = 0; p < pixels.count;) {
    const int64_t here = at.RunOf(image, pixels.count - p);
    float* y = call.y + at.n * image.y_batch + at.h * image.y_row + at.w * image.y_col;
    for (int64_t k = 0; k < here; ++k) pixels.y[p + k] = y + k * image.y_col;
    PointToTaps(call, at, here, p, pixels, edges);
    at.Skip(image, here);
    p += here;
  }
  return pixels;
}

// A part of the depth: whole taps, or some channels of one.
struct DepthRange {
  int64_t tap;
  int64_t taps;
  int64_t offset;
  int64_t depth;
};

// A run of columns of one group inside one panel, against all pixels of a block.
void MultiplyColumns(const ConvCall& call, const ConvPixels& pixels, const DepthRange& range,
                     size_t vector, size_t vectors, bool first, bool last) {
  const size_t group_vectors = VectorsOf(static_cast<size_t>(call.group_cols()));
  const size_t group = vector / group_vectors;
  const size_t within = vector % group_vectors;
  const auto depth_k = static_cast<size_t>(call.taps() * call.depth());
  const float* panels = call.panels + group * depth_k * group_vectors * kLanes;
  const PanelPlace place = PlaceOf(panels, depth_k, group_vectors, within);
  const auto left_over = static_cast<size_t>(call.group_cols()) - (within + vectors - 1) * kLanes;
  const int64_t col =
      static_cast<int64_t>(group) * call.group_cols() + static_cast<int64_t>(within * kLanes);
  const ConvTile tile = {
      .rows = pixels.taps + range.tap * pixels.step,
      .row_step = pixels.step,
      .taps = range.taps,
      .offset = static_cast<int64_t>(group) * call.depth() + range.offset,
      .depth = range.depth,
      .panel = place.first + (range.tap * call.depth() + range.offset) * place.row,
      .panel_row = place.row,
      .panel_tap = call.depth() * place.row,
      .y = pixels.y,
      .col = col,
      .last = left_over < kLanes ? left_over : kLanes,
      .add = !first,
      .bias = last && call.bias != nullptr ? call.bias + col : nullptr,
      .clamp = last ? call.clamp : nullptr,
  };
  const float* next = nullptr;
  if (within + vectors < group_vectors && depth_k * group_vectors * kLanes > kKeptByL2) {
    const PanelPlace after = PlaceOf(panels, depth_k, group_vectors, within + vectors);
    next = after.first + (range.tap * call.depth() + range.offset) * after.row;
  }
  MultiplyTiles(tile, pixels.count, vectors, next);
}

void MultiplyRange(const ConvCall& call, const ConvPixels& pixels, const DepthRange& range,
                   Range vectors, bool first, bool last) {
  const size_t group_vectors = VectorsOf(static_cast<size_t>(call.group_cols()));
  for (size_t v = vectors.begin; v < vectors.end;) {
    const PanelPlace place = PlaceOf(nullptr, 0, group_vectors, v % group_vectors);
    const size_t here =
        place.vectors_after < vectors.end - v ? place.vectors_after : vectors.end - v;
    MultiplyColumns(call, pixels, range, v, here, first, last);
    v += here;
  }
}

void MultiplyDepth(const ConvCall& call, const ConvPixels& pixels, Range vectors) {
  const int64_t taps = call.taps();
  const int64_t depth = call.depth();
  if (taps == 0 || depth == 0) {
    MultiplyRange(call, pixels, {0, 0, 0, 0}, vectors, true, true);
  } else if (depth > kDepthBlock) {
    const int64_t parts = (depth + kDepthBlock - 1) / kDepthBlock;
    const int64_t most = (depth + parts - 1) / parts;
    for (int64_t tap = 0; tap < taps; ++tap) {
      for (int64_t offset = 0; offset < depth; offset += most) {
        const int64_t here = depth - offset < most ? depth - offset : most;
        MultiplyRange(call, pixels, {tap, 1, offset, here}, vectors, tap == 0 && offset == 0,
                      tap + 1 == taps && offset + here == depth);
      }
    }
  } else {
    const int64_t parts = (taps * depth + kDepthBlock - 1) / kDepthBlock;
    const int64_t most = (taps + parts - 1) / parts;
    for (int64_t tap = 0; tap < taps; tap += most) {
      const int64_t here = taps - tap < most ? taps - tap : most;
      MultiplyRange(call, pixels, {tap, here, 0, depth}, vectors, tap == 0, tap + here == taps);
    }
  }
}

void RunEpilogueOn(const ConvCall& call, const ConvPixels& pixels, int64_t begin, int64_t end) {
  PixelWalk at(call.image, pixels.first);
  for (int64_t p = 0; p < pixels.count;) {
    const int64_t here = at.RunOf(call.image, pixels.count - p);
    FollowPixels(*call.epilogue, call.image, at.n, at.h, at.w, here, begin, end,
                 pixels.y[p] + begin);
    at.Skip(call.image, here);
    p += here;
  }
}

// First column of a vector that is counted through all groups.
int64_t ColumnOf(const ConvCall& call, size_t vector) {
  const size_t group_vectors = VectorsOf(static_cast<size_t>(call.group_cols()));
  return static_cast<int64_t>(vector / group_vectors) * call.group_cols() +
         static_cast<int64_t>(vector % group_vectors * kLanes);
}

void MultiplyConv(const ConvCall& call, Range range, Range vectors, void* scratch) {
  const auto block = static_cast<size_t>(call.block);
  // Columns per turn of the epilogue: runs near its longest, and the block's part of y still in L2.
  constexpr size_t kGroup = kTile / kTileCols * kTileVectors;
  for (size_t first = range.begin; first < range.end; first += block) {
    const size_t end = range.end - first < block ? range.end : first + block;
    const ConvPixels pixels = PointToPixels(call, {first, end}, scratch);
    for (size_t v = vectors.begin; v < vectors.end; v += kGroup) {
      const Range group = {v, vectors.end - v < kGroup ? vectors.end : v + kGroup};
      MultiplyDepth(call, pixels, group);
      if (call.epilogue == nullptr) continue;
      RunEpilogueOn(call, pixels, ColumnOf(call, group.begin), ColumnOf(call, group.end));
    }
  }
}

}  // namespace

}  // namespace graviton::GRAVITON_NS

#endif
