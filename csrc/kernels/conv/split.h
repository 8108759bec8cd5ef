#ifndef GRAVITON_KERNELS_CONV_SPLIT_H_
#define GRAVITON_KERNELS_CONV_SPLIT_H_

#include <cstddef>
#include <cstdint>

namespace graviton {

constexpr int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// How pixels (or tiles of them) and vectors of columns are divided among threads.
struct Split {
  int64_t pixels = 1;
  int64_t vectors = 1;
  size_t parts() const { return static_cast<size_t>(pixels * vectors); }
};

// For matrix products of pixels x depth_k x vectors of columns. A pure function of sizes, so that
// the same thread count gives the same bits.
Split SplitPixels(int64_t pixels, int64_t vectors, int64_t depth_k, int64_t tile_rows,
                  size_t threads);

}  // namespace graviton

#endif  // GRAVITON_KERNELS_CONV_SPLIT_H_
