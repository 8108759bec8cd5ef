// The filter's side of Winograd's form (kernels/conv/winograd.h): U = G g Gᵀ, panel by panel.
#include "kernels/gemm/panels-inl.h"
#include "simd/vector-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

typedef double Vd __attribute__((vector_size(2 * GRAVITON_VECTOR_BYTES)));

// G g of F(kOut x kOut, 3x3), for one column of g.
template <int kOut>
struct FilterStep;

template <>
struct FilterStep<4> {
  [[gnu::always_inline]] static void Transform(const Vd (&g)[3], Vd (&t)[6]) {
    const Vd even = (g[0] + g[2]) * (-1.0 / 6);
    const Vd odd = g[1] * (-1.0 / 6);
    const Vd far_even = g[0] * (1.0 / 24) + g[2] * (1.0 / 6);
    const Vd far_odd = g[1] * (1.0 / 12);
    t[0] = g[0] * 0.25;
    t[1] = even + odd;
    t[2] = even - odd;
    t[3] = far_even + far_odd;
    t[4] = far_even - far_odd;
    t[5] = g[2];
  }
};

template <>
struct FilterStep<2> {
  [[gnu::always_inline]] static void Transform(const Vd (&g)[3], Vd (&t)[4]) {
    const Vd even = (g[0] + g[2]) * 0.5;
    const Vd odd = g[1] * 0.5;
    t[0] = g[0];
    t[1] = even + odd;
    t[2] = even - odd;
    t[3] = g[2];
  }
};

// One vector of columns of one channel, in double precision: each weight is rounded once. Taps of
// `g` lie `tap` apart, points of `u` `point`.
template <int kOut>
inline void TransformFilter(const float* g, int64_t tap, float* u, int64_t point) {
  constexpr int kIn = kOut + 2;
  Vd half[kIn][3];
#pragma GCC unroll 3
  for (int x = 0; x < 3; ++x) {
    Vd column[3];
    Vd t[kIn];
#pragma GCC unroll 3
    for (int y = 0; y < 3; ++y) {
      column[y] = __builtin_convertvector(Load(g + (y * 3 + x) * tap), Vd);
    }
    FilterStep<kOut>::Transform(column, t);
#pragma GCC unroll 6
    for (int i = 0; i < kIn; ++i) half[i][x] = t[i];
  }
#pragma GCC unroll 6
  for (int i = 0; i < kIn; ++i) {
    Vd t[kIn];
    FilterStep<kOut>::Transform(half[i], t);
#pragma GCC unroll 6
    for (int j = 0; j < kIn; ++j)
      Store(u + (i * kIn + j) * point, __builtin_convertvector(t[j], Vf));
  }
}

// Some channels are transformed into the first-level cache, and leave it in runs: the matrices lie
// far apart, and there are more of them than the processor collects lines for.
template <int kOut>
void PackFilter(const float* panels, size_t depth_k, size_t cols_n, Range range, float* matrices) {
  constexpr int64_t kPoints = (kOut + 2) * (kOut + 2);
  constexpr size_t kRows = 4;
  constexpr auto kRun = static_cast<int64_t>(kRows * kTileCols);
  alignas(64) float run[kPoints * kRun];
  const size_t matrix = depth_k * VectorsOf(cols_n) * kLanes;
  for (size_t p = range.begin; p < range.end; ++p) {
    const size_t first = p * kTileCols;
    const size_t cols = cols_n - first < kTileCols ? cols_n - first : kTileCols;
    const size_t width = VectorsOf(cols) * kLanes;
    const float* panel = panels + 9 * first * depth_k;
    float* to = matrices + first * depth_k;
    for (size_t k = 0; k < depth_k; k += kRows) {
      const size_t floats = (depth_k - k < kRows ? depth_k - k : kRows) * width;
      const float* from = panel + k * width;
      for (size_t i = 0; i < floats; i += kLanes) {
        TransformFilter<kOut>(from + i, static_cast<int64_t>(depth_k * width), run + i, kRun);
      }
      for (int64_t point = 0; point < kPoints; ++point) {
        float* out = to + static_cast<size_t>(point) * matrix + k * width;
        for (size_t i = 0; i < floats; i += kLanes) {
          StoreStreaming(out + i, Load(run + point * kRun + i));
        }
      }
    }
  }
  EndStreaming();
}

}  // namespace
}  // namespace graviton::GRAVITON_NS
