#ifndef GRAVITON_KERNELS_CONV_IMAGE_H_
#define GRAVITON_KERNELS_CONV_IMAGE_H_

#include <cstdint>

#include "core/ops.gen.h"

namespace graviton {

// What Conv2D, DepthwiseConv2D and Pool2D share: windows that slide over NHWC images. Every size
// and step is below 2^31 once CheckImage has passed, so that positions like h · stride + i ·
// dilation fit int64.
struct Image {
  int64_t batch, in_h, in_w, in_c, out_h, out_w, out_c;
  int64_t filter_h, filter_w, stride_h, stride_w, pad_top, pad_left, dilation_h, dilation_w;
  int64_t x_batch, x_row, x_col;
  int64_t y_batch, y_row, y_col;

  int64_t pixels() const { return batch * out_h * out_w; }
  bool empty() const { return batch == 0 || out_h == 0 || out_w == 0 || out_c == 0; }
};

template <class Params>
Image ImageOf(const Params& p) {
  return {.batch = p.batch,
          .in_h = p.in_h,
          .in_w = p.in_w,
          .in_c = p.in_c,
          .out_h = p.out_h,
          .out_w = p.out_w,
          .out_c = p.out_c,
          .filter_h = p.filter_h,
          .filter_w = p.filter_w,
          .stride_h = p.stride_h,
          .stride_w = p.stride_w,
          .pad_top = p.pad_top,
          .pad_left = p.pad_left,
          .dilation_h = p.dilation_h,
          .dilation_w = p.dilation_w,
          .x_batch = p.x_batch,
          .x_row = p.x_row,
          .x_col = p.x_col,
          .y_batch = p.y_batch,
          .y_row = p.y_row,
          .y_col = p.y_col};
}

// Fails unless the sizes are sensible, x and y lie inside their buffers and no two pixels of y
// overlap: threads write them at the same time, and a stride of 0 would let a few words ask for
// endless work.
Status CheckImage(const char* op, const Image& image, const Operand& x, const Operand& y);

// Whether no two pixels of x are the same elements. Only then is the work of a window without a
// filter bounded by a buffer.
bool ReadsEachOnce(const Image& image);

// The taps of a window along one axis that fall inside the image: [first, last).
struct Taps {
  int64_t first;
  int64_t last;
};

// `origin`: where tap 0 falls. Computed, not searched: a window may have any number of taps.
inline Taps TapsInside(int64_t origin, int64_t dilation, int64_t taps, int64_t size) {
  const int64_t first = origin >= 0 ? 0 : (-origin + dilation - 1) / dilation;
  const int64_t room = size - origin;  // taps at offsets below this are inside
  int64_t last = room <= 0 ? 0 : (room + dilation - 1) / dilation;
  last = last < taps ? last : taps;
  return {first, last < first ? first : last};
}

}  // namespace graviton

#endif  // GRAVITON_KERNELS_CONV_IMAGE_H_
