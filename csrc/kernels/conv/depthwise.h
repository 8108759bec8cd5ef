#ifndef GRAVITON_KERNELS_CONV_DEPTHWISE_H_
#define GRAVITON_KERNELS_CONV_DEPTHWISE_H_

// y[n, h, w, c] = epilogue(Σ x[n, h·s − p + d·i, w·s − p + d·j, c] · filter[i, j, c] + bias[c])
//
// Vectors run over channels. A register tile is one or two rows of output pixels by kTileW; it
// reads each input pixel once for all the sums that it belongs to, through a pointer, so that
// pixels outside the image are pointers to zeros. With a multiplier m, x is first repeated m times
// along c.

#include "kernels/conv/image.h"
#include "kernels/pointwise/clamp.h"
#include "simd/dispatch.h"

namespace graviton {

struct DepthwiseCall {
  Image image;  // in_c == out_c: channels of the repeated x
  const float* x;
  float* y;
  const float* filter;       // dense
  const float* bias;         // null: none
  const Epilogue* epilogue;  // null: none
  const Clamp* clamp;        // null: none
  const float* zeros;        // out_c of them

  int64_t taps() const { return image.filter_h * image.filter_w; }
};

struct DepthwiseKernels {
  // Rows of a tile, for dividing work.
  int64_t tile_h;
  // Scratch of a thread, for so many channels.
  size_t (*scratch_bytes)(const DepthwiseCall& call, int64_t channels);
  // Rows [first, last) of y, counted through all images and in whole tiles, of some channels.
  void (*rows)(const DepthwiseCall& call, Range rows, Range channels, void* scratch);
  // y[i · multiplier + k] = x[i] for i < count.
  void (*repeat)(const float* x, int64_t count, int64_t multiplier, float* y);
};
GRAVITON_DISPATCH(DepthwiseKernels, kDepthwise)

// Fails unless it is a plain float32 filter of the image's window for each channel of y.
Status CheckDepthwiseFilter(const Image& image, const Operand& filter);

}  // namespace graviton

#endif  // GRAVITON_KERNELS_CONV_DEPTHWISE_H_
