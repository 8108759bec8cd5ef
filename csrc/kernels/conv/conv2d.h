#ifndef GRAVITON_KERNELS_CONV_CONV2D_H_
#define GRAVITON_KERNELS_CONV_CONV2D_H_

// y[n, h, w, o] = epilogue(Σ x[n, h·s − p + d·i, w·s − p + d·j, c] · filter[i, j, c, o] + bias[o])
//
// An implicit matrix product ("The Indirect Convolution Algorithm", Dukhan 2019): rows are output
// pixels, in the order (n, h, w) so that tiles run on across rows of the image; depth is taps ·
// channels, read through one pointer a pixel and tap; taps outside the image point to zeros. No
// copy of x is made, and the filter is a plain matrix b[taps · channels, outC] in the panels of
// kGemmF32.

#include "kernels/conv/image.h"
#include "kernels/pointwise/clamp.h"
#include "simd/dispatch.h"

namespace graviton {

struct ConvCall {
  Image image;
  const float* x;
  float* y;
  const float* panels;       // kGemmF32, one matrix a group
  const float* bias;         // null: none
  const Epilogue* epilogue;  // null: none
  const Clamp* clamp;        // null: none
  const float* zeros;        // as many as a tap's depth
  int64_t groups;
  // Few channels make short taps: taps of a filter row are joined into one where x is contiguous,
  // and copied for pixels at the edge.
  bool joined;
  int64_t block;  // pixels whose pointers are kept at a time

  int64_t taps() const { return joined ? image.filter_h : image.filter_h * image.filter_w; }
  // Channels of one tap of one group.
  int64_t depth() const { return joined ? image.filter_w * image.in_c : image.in_c / groups; }
  int64_t group_cols() const { return image.out_c / groups; }
  // Of each thread: pointers, and copies of edge pixels.
  int64_t edge_floats() const { return joined ? block * taps() * depth() : 0; }
  int64_t scratch_bytes() const {
    const int64_t pointers = block * (taps() + 1) * static_cast<int64_t>(sizeof(void*));
    return (edge_floats() * static_cast<int64_t>(sizeof(float)) + pointers + 63) / 64 * 64;
  }
};

// Winograd's form of 3x3 with stride 1: square tiles of y, `out` a side, each from out + 2 rows and
// columns of x.
struct WinogradCall {
  ConvCall conv;        // the direct form, for tiles whose result is not finite; it has no epilogue
  const float* panels;  // (out + 2)² matrices b[inC, outC] of kGemmF32
  const Epilogue* epilogue;  // null: none
  int64_t tiles_h;
  int64_t tiles_w;
  int64_t block;  // tiles at a time
  // Threads that share columns of a tile share what x is transformed to, too: `shared` holds all
  // tiles.
  bool shares;
  float* shared;

  int64_t tiles() const { return conv.image.batch * tiles_h * tiles_w; }
};
struct WinogradKernels {
  // The filter's matrices for these panels of its columns, from the direct form's.
  void (*pack)(const float* panels, size_t depth_k, size_t cols_n, Range range, float* matrices);
  size_t (*scratch_bytes)(const WinogradCall& call);
  size_t (*shared_floats)(const WinogradCall& call);
  // Fills `shared` for some tiles.
  void (*transform)(const WinogradCall& call, Range tiles, void* scratch);
  // These tiles of these columns, counted in vectors.
  void (*multiply)(const WinogradCall& call, Range tiles, Range vectors, void* scratch);
};

struct ConvKernels {
  // These pixels of these columns, counted in vectors through all groups.
  void (*multiply)(const ConvCall& call, Range pixels, Range vectors, void* scratch);
  WinogradKernels winograd4;
  WinogradKernels winograd2;
};
GRAVITON_DISPATCH(ConvKernels, kConv)

}  // namespace graviton

#endif  // GRAVITON_KERNELS_CONV_CONV2D_H_
