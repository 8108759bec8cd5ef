// Column panels of B (kGemmF32, see GemmKernels in kernels/gemm/gemm.h): copies into them and back.
#include "kernels/gemm/micro_kernel-inl.h"
#include "simd/transpose-inl.h"

// clang-format off
#if (GRAVITON_VECTOR_BYTES == 16 && !defined(GRAVITON_PANELS_16)) || \
    (GRAVITON_VECTOR_BYTES == 32 && !defined(GRAVITON_PANELS_32)) || \
    (GRAVITON_VECTOR_BYTES == 64 && !defined(GRAVITON_PANELS_64))
#if GRAVITON_VECTOR_BYTES == 16
#define GRAVITON_PANELS_16
#elif GRAVITON_VECTOR_BYTES == 32
#define GRAVITON_PANELS_32
#else
#define GRAVITON_PANELS_64
#endif
// clang-format on

namespace graviton::GRAVITON_NS {

static inline size_t VectorsOf(size_t cols) { return (cols + kLanes - 1) / kLanes; }

// Where vector `vector` of the columns lies in packed panels.
struct PanelPlace {
  const float* first;    // its row 0
  int64_t row;           // floats between rows
  size_t vectors_after;  // vectors of the same panel from this one on
};
static inline PanelPlace PlaceOf(const float* packed, size_t depth_k, size_t all_vectors,
                                 size_t vector) {
  const size_t panel = vector / kTileVectors;
  const size_t within = vector % kTileVectors;
  const size_t rest = all_vectors - panel * kTileVectors;
  const size_t width = rest < static_cast<size_t>(kTileVectors) ? rest : kTileVectors;
  return {packed + panel * kTileCols * depth_k + within * kLanes,
          static_cast<int64_t>(width * kLanes), width - within};
}

// panel[k * panel_row + n] = b[k, n] for k < depth, n < cols, padded with zeros to whole vectors.
static inline void PackPanel(const float* b, int64_t b_row, int64_t b_col, size_t depth,
                             size_t cols, float* panel, int64_t panel_row) {
  if (b_row == 1 && b_col != 1) {
    Transpose(b, b_col, cols, depth, panel, panel_row);
    return;
  }
  const size_t whole = cols / kLanes * kLanes;
  if (b_col == 1) {
    for (size_t k = 0; k < depth; ++k) {
      for (size_t n = 0; n < whole; n += kLanes) Store(panel + n, Load(b + n));
      if (whole < cols) Store(panel + whole, LoadPart(b + whole, cols - whole));
      b += b_row;
      panel += panel_row;
    }
    return;
  }
  const size_t padded = VectorsOf(cols) * kLanes;
  for (size_t k = 0; k < depth; ++k) {
    for (size_t n = 0; n < padded; ++n)
      panel[n] = n < cols ? b[static_cast<int64_t>(n) * b_col] : 0;
    b += b_row;
    panel += panel_row;
  }
}

// rows[m * row + k] = a[m, k] for m < count, k < depth; `row` is at least depth, in whole vectors.
static inline void PackRows(const float* a, int64_t a_row, int64_t a_col, size_t count,
                            size_t depth, float* rows, int64_t row) {
  if (a_row == 1) {
    Transpose(a, a_col, depth, count, rows, row);
    return;
  }
  for (size_t m = 0; m < count; ++m) {
    for (size_t k = 0; k < depth; ++k) rows[k] = a[static_cast<int64_t>(k) * a_col];
    a += a_row;
    rows += row;
  }
}

// Weights from this size on do not stay in the cache until they are read.
constexpr size_t kLeastStreamedBytes = size_t{1} << 20;

// As PackPanel for all `panels` of a b with contiguous columns. A few rows at a time are read along
// their whole length, as the processor fetches ahead, and panels are written past the cache.
static inline void StreamPanels(const float* b, int64_t b_row, size_t depth_k, size_t cols_n,
                                Range panels, float* packed) {
  constexpr size_t kRows = 8;
  for (size_t k = 0; k < depth_k; k += kRows) {
    const size_t rows = depth_k - k < kRows ? depth_k - k : kRows;
    for (size_t p = panels.begin; p < panels.end; ++p) {
      const size_t first = p * kTileCols;
      const size_t cols = cols_n - first < kTileCols ? cols_n - first : kTileCols;
      const size_t width = VectorsOf(cols) * kLanes;
      const size_t whole = cols / kLanes * kLanes;
      const float* from = b + static_cast<int64_t>(k) * b_row + first;
      float* to = packed + first * depth_k + k * width;
      for (size_t row = 0; row < rows; ++row) {
        for (size_t n = 0; n < whole; n += kLanes) StoreStreaming(to + n, Load(from + n));
        if (whole < cols) StoreStreaming(to + whole, LoadPart(from + whole, cols - whole));
        from += b_row;
        to += width;
      }
    }
  }
  EndStreaming();
}

static inline void PackPanels(const float* b, int64_t b_row, int64_t b_col, size_t depth_k,
                              size_t cols_n, Range panels, void* packed) {
  if (b_col == 1 && depth_k * cols_n * sizeof(float) >= kLeastStreamedBytes) {
    StreamPanels(b, b_row, depth_k, cols_n, panels, static_cast<float*>(packed));
    return;
  }
  for (size_t p = panels.begin; p < panels.end; ++p) {
    const size_t first = p * kTileCols;
    const size_t cols = cols_n - first < kTileCols ? cols_n - first : kTileCols;
    PackPanel(b + static_cast<int64_t>(first) * b_col, b_row, b_col, depth_k, cols,
              static_cast<float*>(packed) + first * depth_k,
              static_cast<int64_t>(VectorsOf(cols) * kLanes));
  }
}

static inline void UnpackPanels(const void* packed, size_t depth_k, size_t cols_n, Range panels,
                                float* b, int64_t b_row, int64_t b_col) {
  for (size_t p = panels.begin; p < panels.end; ++p) {
    const size_t first = p * kTileCols;
    const size_t cols = cols_n - first < kTileCols ? cols_n - first : kTileCols;
    const float* row = static_cast<const float*>(packed) + first * depth_k;
    for (size_t k = 0; k < depth_k; ++k) {
      float* to = b + static_cast<int64_t>(k) * b_row + static_cast<int64_t>(first) * b_col;
      if (b_col == 1) {
        std::memcpy(to, row, cols * sizeof(float));
      } else {
        for (size_t n = 0; n < cols; ++n) to[static_cast<int64_t>(n) * b_col] = row[n];
      }
      row += VectorsOf(cols) * kLanes;
    }
  }
}

}  // namespace graviton::GRAVITON_NS

#endif
