// The register tile that matrix product, convolution and attention share:
//   sums[i][j] += Σk rows[i][k] · panel[k][j]        i < kRows, j < kVectors vectors
// B comes as a panel whose rows of vectors lie `panel_row` floats apart (packed: kTileCols), A as
// one pointer per row with unit element step. Inlined into its caller, so the sums stay in
// registers over several calls: an implicit GEMM calls it once per filter tap with other row
// pointers.
#include "simd/vector-inl.h"

// clang-format off
#if (GRAVITON_VECTOR_BYTES == 16 && !defined(GRAVITON_MICRO_KERNEL_16)) || \
    (GRAVITON_VECTOR_BYTES == 32 && !defined(GRAVITON_MICRO_KERNEL_32)) || \
    (GRAVITON_VECTOR_BYTES == 64 && !defined(GRAVITON_MICRO_KERNEL_64))
#if GRAVITON_VECTOR_BYTES == 16
#define GRAVITON_MICRO_KERNEL_16
#elif GRAVITON_VECTOR_BYTES == 32
#define GRAVITON_MICRO_KERNEL_32
#else
#define GRAVITON_MICRO_KERNEL_64
#endif
// clang-format on

namespace graviton::GRAVITON_NS {

// The largest tile. Sums, one row of the panel and an element of A fill the register file: 24 + 3 +
// 1 of 32 (AVX-512, NEON, where four more hold A), 12 + 2 + 1 of 16 (AVX2). Without fused
// multiply-add each product takes a register as well: at baseline six rows would spill.
#if defined(__aarch64__) || GRAVITON_VECTOR_BYTES == 64
constexpr int kTileRows = 8;
constexpr int kTileVectors = 3;
#else
constexpr int kTileRows = GRAVITON_VECTOR_BYTES == 32 ? 6 : 4;
constexpr int kTileVectors = 2;
#endif
constexpr size_t kTileCols = kTileVectors * kLanes;

template <int kRows, int kVectors>
[[gnu::always_inline]] static inline void ClearSums(Vf (&sums)[kRows][kVectors]) {
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) sums[i][j] = Vf{};
  }
}

// One k: row k of the panel times element k of every row. Without the unroll pragmas g++ 12 keeps
// the sums on the stack (66 % of the peak on Neoverse V1 by llvm-mca).
template <int kRows, int kVectors>
[[gnu::always_inline]] static inline void MultiplyAddStep(const float* const (&rows)[kRows],
                                                          size_t k, const float* panel,
                                                          Vf (&sums)[kRows][kVectors]) {
  Vf b[kVectors];
#pragma GCC unroll 8
  for (int j = 0; j < kVectors; ++j) b[j] = Load(panel + j * kLanes);
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    const Vf a = Splat(rows[i][k]);
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) sums[i][j] += a * b[j];
  }
}

#if defined(__aarch64__)
// Four k at once, rows [kFirst, kFirst + kCount): NEON multiplies by a lane of a vector for free,
// and one vector load of A replaces four broadcasts (experiments: 85 % of the peak with scalar
// loads). 24 sums leave few registers for A, so rows go in groups. Of three: 99.8 % of Neoverse
// V1's peak for tiles of 6, 7 and 8 rows by llvm-mca 19; groups of four made g++ 12 copy registers,
// 92 %. Needs -fno-schedule-insns (the default on x86), or g++ schedules the groups into each other
// and spills.
constexpr int kLaneRows = 3;

template <int kFirst, int kCount, int kRows, int kVectors>
[[gnu::always_inline]] static inline void MultiplyAddLanes(const float* const (&rows)[kRows],
                                                           size_t k, const float* panel,
                                                           int64_t panel_row,
                                                           Vf (&sums)[kRows][kVectors]) {
  Vf a[kCount];
#pragma GCC unroll 8
  for (int i = 0; i < kCount; ++i) a[i] = Load(rows[kFirst + i] + k);
#pragma GCC unroll 4
  for (int lane = 0; lane < 4; ++lane) {
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) {
      const Vf b = Load(panel + lane * panel_row + j * kLanes);
#pragma GCC unroll 8
      for (int i = 0; i < kCount; ++i) sums[kFirst + i][j] += Splat(a[i][lane]) * b;
    }
  }
}
template <int kFirst, int kRows, int kVectors>
[[gnu::always_inline]] static inline void MultiplyAddGroups(const float* const (&rows)[kRows],
                                                            size_t k, const float* panel,
                                                            int64_t panel_row,
                                                            Vf (&sums)[kRows][kVectors]) {
  constexpr int kCount = kRows - kFirst < kLaneRows ? kRows - kFirst : kLaneRows;
  MultiplyAddLanes<kFirst, kCount>(rows, k, panel, panel_row, sums);
  if constexpr (kFirst + kCount < kRows) {
    // Hides that these are the same loads again: kept in registers, they would push out sums.
    asm("" : "+r"(panel));
    MultiplyAddGroups<kFirst + kCount>(rows, k, panel, panel_row, sums);
  }
}
#endif

template <int kRows, int kVectors>
[[gnu::always_inline]] static inline void MultiplyAdd(const float* const (&rows)[kRows],
                                                      size_t depth, const float* panel,
                                                      int64_t panel_row,
                                                      Vf (&sums)[kRows][kVectors]) {
  size_t k = 0;
#if defined(__aarch64__)
  for (; k + 4 <= depth; k += 4) {
    MultiplyAddGroups<0>(rows, k, panel, panel_row, sums);
    panel += 4 * panel_row;
  }
#endif
  // Not unrolled: by 2 was within noise, by 4 cost AVX2 10 % and the baseline spilled.
#pragma GCC unroll 1
  for (; k < depth; ++k) {
    MultiplyAddStep(rows, k, panel, sums);
    panel += panel_row;
  }
}

// What is needed next, brought to L2 while a tile is computed: the processor's own prefetcher
// starts anew at each page, and a panel that comes from memory then costs its time twice. One
// thread of an Emerald Rapids, weights from memory: 32 rows 869 → 504 µs, 128 rows 71 → 88 % of the
// peak.
struct Ahead {
  const char* from = nullptr;  // null: nothing
  size_t step = 0;             // bytes per kAheadEvery k
};
constexpr size_t kAheadEvery = 8;  // k: every one cost 1 %
constexpr size_t kCacheLine = 64;
// Floats of all panels that L2 keeps from one block of rows to the next: nothing needs to be
// brought.
constexpr size_t kKeptByL2 = 1 << 16;

// A panel of `vectors` whose like comes next, while `tiles` tiles meet it.
static inline Ahead AheadOf(const float* next, size_t vectors, size_t tiles) {
  return {reinterpret_cast<const char*>(next), vectors * sizeof(Vf) * kAheadEvery / tiles};
}

[[gnu::always_inline]] static inline void Prefetch(const char* from, size_t bytes) {
  for (size_t b = 0; b < bytes; b += kCacheLine) __builtin_prefetch(from + b, 0, 2);
}

// MultiplyAdd, and as much of what comes next as belongs to so much depth.
template <int kRows, int kVectors>
[[gnu::always_inline]] static inline void MultiplyAdd(const float* const (&rows)[kRows],
                                                      size_t depth, const float* panel,
                                                      int64_t panel_row, Ahead* ahead,
                                                      Vf (&sums)[kRows][kVectors]) {
  if (ahead->from == nullptr) return MultiplyAdd(rows, depth, panel, panel_row, sums);
  const float* from[kRows];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) from[i] = rows[i];
  for (size_t k = 0; k < depth; k += kAheadEvery) {
    Prefetch(ahead->from, ahead->step);
    ahead->from += ahead->step;
    const size_t here = depth - k < kAheadEvery ? depth - k : kAheadEvery;
    MultiplyAdd(from, here, panel, panel_row, sums);
    panel += static_cast<int64_t>(kAheadEvery) * panel_row;
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) from[i] += kAheadEvery;
  }
}

}  // namespace graviton::GRAVITON_NS

#endif
