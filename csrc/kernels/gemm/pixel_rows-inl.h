// Rows of PixelRows (kernels/gemm/gemm.h) as plain floats. Internal linkage, as
// kernels/gemm/tiles-inl.h.
#include "kernels/gemm/gemm.h"
#include "simd/vector-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

// A run of the window: from x, or zeros where that is null.
inline void CopyRun(const float* x, size_t count, float* to) {
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) Store(to + i, x == nullptr ? Vf{} : Load(x + i));
  if (i < count) StorePart(to + i, x == nullptr ? Vf{} : LoadPart(x + i, count - i), count - i);
}

// row[i] = element k + i of the window of `pixel`, for i < depth.
inline void GatherPixel(const PixelRows& rows, int64_t pixel, size_t k, size_t depth, float* row) {
  const Image& image = rows.image;
  const int64_t left = pixel % image.out_w * image.stride_w - image.pad_left;
  const int64_t top = pixel / image.out_w % image.out_h * image.stride_h - image.pad_top;
  const float* image_x = rows.x + pixel / image.out_w / image.out_h * image.x_batch;
  // Taps of a filter row lie side by side where nothing is between them.
  const bool joins = image.dilation_w == 1 && image.x_col == image.in_c;
  for (size_t done = 0; done < depth;) {
    const auto at = static_cast<int64_t>(k + done);
    const int64_t tap = at / image.in_c;
    const int64_t channel = at % image.in_c;
    const int64_t h = top + tap / image.filter_w * image.dilation_h;
    const int64_t w = left + tap % image.filter_w * image.dilation_w;
    const int64_t taps = image.filter_w - tap % image.filter_w;
    const bool row_inside = h >= 0 && h < image.in_h;
    const bool inside = row_inside && w >= 0 && w < image.in_w;
    const bool joined = !row_inside || (joins && inside && w + taps <= image.in_w);
    const auto length = static_cast<size_t>((joined ? taps : 1) * image.in_c - channel);
    const size_t here = length < depth - done ? length : depth - done;
    CopyRun(inside ? image_x + h * image.x_row + w * image.x_col + channel : nullptr, here,
            row + done);
    done += here;
  }
}

}  // namespace
}  // namespace graviton::GRAVITON_NS
