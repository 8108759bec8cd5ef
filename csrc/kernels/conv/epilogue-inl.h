// What follows a convolution: a clamp in registers, any other program on pixels that are still in
// cache.
#include "kernels/conv/image.h"
#include "kernels/pointwise/clamp-inl.h"
#include "kernels/pointwise/program-inl.h"
#include "simd/vector-inl.h"

// clang-format off
#if (GRAVITON_VECTOR_BYTES == 16 && !defined(GRAVITON_CONV_EPILOGUE_16)) || \
    (GRAVITON_VECTOR_BYTES == 32 && !defined(GRAVITON_CONV_EPILOGUE_32)) || \
    (GRAVITON_VECTOR_BYTES == 64 && !defined(GRAVITON_CONV_EPILOGUE_64))
#if GRAVITON_VECTOR_BYTES == 16
#define GRAVITON_CONV_EPILOGUE_16
#elif GRAVITON_VECTOR_BYTES == 32
#define GRAVITON_CONV_EPILOGUE_32
#else
#define GRAVITON_CONV_EPILOGUE_64
#endif
// clang-format on

namespace graviton::GRAVITON_NS {

// Whether a row of pixels is one run for y and every input of the epilogue.
static inline bool PixelsJoin(const Epilogue& epilogue, const Image& image) {
  if (image.y_col != image.out_c) return false;
  for (size_t i = 0; i < epilogue.inputs; ++i) {
    const int32_t* strides = epilogue.strides[i];
    if (strides[2] != image.out_c * strides[3]) return false;
  }
  return true;
}

// Runs the epilogue in place on columns [begin, end) of `count` pixels of row (n, h), of which y is
// the first element. Few channels make short runs: pixels are joined where memory allows.
static inline void FollowPixels(const Epilogue& epilogue, const Image& image, int64_t n, int64_t h,
                                int64_t w, int64_t count, int64_t begin, int64_t end, float* y) {
  const bool whole = begin == 0 && end == image.out_c && PixelsJoin(epilogue, image);
  const int64_t length = whole ? count * image.out_c : end - begin;
  for (int64_t p = 0; p < count; p += whole ? count : 1, y += image.y_col) {
    for (int64_t k = 0; k < length; k += static_cast<int64_t>(kTile)) {
      const auto here =
          length - k < static_cast<int64_t>(kTile) ? static_cast<size_t>(length - k) : kTile;
      RunEpilogue(epilogue, n, h, w + p, begin + k, here, y + k, y + k);
    }
  }
}

}  // namespace graviton::GRAVITON_NS

#endif
