#include "simd/vector-inl.h"

namespace graviton::GRAVITON_NS {

// In the order of tfjs-backend-cpu: along the row first.
template <class V>
static inline V Bilinear(V top_left, V top_right, V bottom_left, V bottom_right, V col, V row) {
  const V top = top_left + (top_right - top_left) * col;
  const V bottom = bottom_left + (bottom_right - bottom_left) * col;
  return top + (bottom - top) * row;
}

// A vector may span pixels when there are fewer channels than lanes, so pixels are gathered one by
// one: kChannels is known, which keeps the loop free of branches.
template <int64_t kChannels>
static void BilinearNarrow(const ResizeRow& row) {
  for (int64_t w = 0; w < row.out_w; ++w) {
    const ResizePosition& col = row.cols[w];
    const int64_t low = col.low * kChannels;
    const int64_t high = col.high * kChannels;
    for (int64_t c = 0; c < kChannels; ++c) {
      row.y[w * kChannels + c] =
          Bilinear<float>(row.top[low + c], row.top[high + c], row.bottom[low + c],
                          row.bottom[high + c], col.fraction, row.fraction);
    }
  }
}

static void BilinearWide(const ResizeRow& row) {
  const Vf vertical = Splat(row.fraction);
  for (int64_t w = 0; w < row.out_w; ++w) {
    const ResizePosition& col = row.cols[w];
    const int64_t low = col.low * row.channels;
    const int64_t high = col.high * row.channels;
    const Vf horizontal = Splat(col.fraction);
    float* y = row.y + w * row.channels;
    int64_t c = 0;
    for (; c + static_cast<int64_t>(kLanes) <= row.channels; c += kLanes) {
      Store(y + c, Bilinear<Vf>(Load(row.top + low + c), Load(row.top + high + c),
                                Load(row.bottom + low + c), Load(row.bottom + high + c), horizontal,
                                vertical));
    }
    if (c == row.channels) continue;
    const auto last = static_cast<size_t>(row.channels - c);
    StorePart(y + c,
              Bilinear<Vf>(LoadPart(row.top + low + c, last), LoadPart(row.top + high + c, last),
                           LoadPart(row.bottom + low + c, last),
                           LoadPart(row.bottom + high + c, last), horizontal, vertical),
              last);
  }
}

static void BilinearRow(const ResizeRow& row) {
  switch (row.channels) {
    case 1:
      return BilinearNarrow<1>(row);
    case 3:
      return BilinearNarrow<3>(row);
    default:
      return BilinearWide(row);
  }
}

extern const ResizeKernels kResizeKernels;
const ResizeKernels kResizeKernels = {.bilinear = BilinearRow};

}  // namespace graviton::GRAVITON_NS
