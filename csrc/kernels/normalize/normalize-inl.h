#include "kernels/normalize/normalize.h"
#include "kernels/pointwise/clamp-inl.h"
#include "kernels/pointwise/program-inl.h"
#include "kernels/reduce/fold-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

// Squares of deviations from the mean, not E[x²] − E[x]², which cancels where |mean| ≫ deviation
// (Chan, Golub & LeVeque 1983). The row is in L1 by then.
struct SquaredDeviation {
  float mean;
  template <class T>
  T operator()(T x) const {
    const T deviation = x - mean;
    return deviation * deviation;
  }
};

template <bool kGamma, bool kBeta, class T>
inline T Affine(T x, float mean, float factor, const T& gamma, const T& beta) {
  T y = (x - mean) * factor;
  if (kGamma) y = y * gamma;
  if (kBeta) y = y + beta;
  return y;
}

template <bool kGamma, bool kBeta>
inline void ScaleRow(const NormalizePiece& p, const float* x, float* y, float mean, float factor) {
  size_t i = 0;
  for (; i + kLanes <= p.cols; i += kLanes) {
    const Vf gamma = kGamma ? Load(p.gamma + i) : Vf{};
    const Vf beta = kBeta ? Load(p.beta + i) : Vf{};
    Store(y + i, Affine<kGamma, kBeta>(Load(x + i), mean, factor, gamma, beta));
  }
  for (; i < p.cols; ++i) {
    y[i] =
        Affine<kGamma, kBeta>(x[i], mean, factor, kGamma ? p.gamma[i] : 0, kBeta ? p.beta[i] : 0);
  }
}

// The epilogue on rows of y that are in L1.
inline void FollowRows(const NormalizePiece& p, size_t row, size_t rows, float* y) {
  if (p.epilogue == nullptr) return;
  for (size_t col = 0; col < p.cols; col += kTile) {
    const size_t here = p.cols - col < kTile ? p.cols - col : kTile;
    RunEpilogueRows(*p.epilogue, 0, 0, static_cast<int64_t>(p.first_row + row), rows,
                    static_cast<int64_t>(col), here, y + col, y + col, p.y_row);
  }
}

template <bool kLayer, bool kGamma, bool kBeta>
inline void RowsOf(const NormalizePiece& p) {
  const float* x = p.x;
  float* y = p.y;
  const auto cols = static_cast<float>(p.cols);
  for (size_t row = 0; row < p.rows; ++row, x += p.x_row, y += p.y_row) {
    const float mean = kLayer ? FoldRow<SumFold>(x, p.cols, Unchanged()) / cols : 0.0f;
    const float variance = FoldRow<SumFold>(x, p.cols, SquaredDeviation{mean}) / cols;
    ScaleRow<kGamma, kBeta>(p, x, y, mean, p.spread.Inverse(variance));
    FollowRows(p, row, 1, y);
  }
}

template <bool kLayer>
void Rows(const NormalizePiece& p) {
  if (p.gamma != nullptr) {
    p.beta != nullptr ? RowsOf<kLayer, true, true>(p) : RowsOf<kLayer, true, false>(p);
  } else {
    p.beta != nullptr ? RowsOf<kLayer, false, true>(p) : RowsOf<kLayer, false, false>(p);
  }
}

typedef double Vd __attribute__((vector_size(2 * GRAVITON_VECTOR_BYTES)));

inline Vf LoadLanes(const float* p, size_t lanes) {
  return lanes == kLanes ? Load(p) : LoadPart(p, lanes);
}

// Joins the moments of `rows` rows of kVectors vectors of columns with those of the `before` rows
// above them (Chan, Golub & LeVeque 1983, equation 2.1). `lanes`: how many of the last vector are
// columns.
template <bool kLayer, int kVectors>
inline void JoinMoments(const float* x, ptrdiff_t x_row, size_t rows, size_t lanes, size_t before,
                        double* mean, double* squares) {
  const auto at = [&](size_t row, int j) __attribute__((always_inline)) {
    const float* from = x + static_cast<ptrdiff_t>(row) * x_row + j * static_cast<int>(kLanes);
    return j + 1 < kVectors ? Load(from) : LoadLanes(from, lanes);
  };
  Vf means[kVectors] = {};
  if (kLayer) {
    for (size_t row = 0; row < rows; ++row) {
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) means[j] += at(row, j);
    }
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) means[j] /= static_cast<float>(rows);
  }
  Vf sums[kVectors] = {};
  for (size_t row = 0; row < rows; ++row) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      const Vf deviation = at(row, j) - means[j];
      sums[j] += deviation * deviation;
    }
  }
  const double share = static_cast<double>(rows) / static_cast<double>(before + rows);
  for (int j = 0; j < kVectors; ++j, mean += kLanes, squares += kLanes) {
    Vd own_squares = __builtin_convertvector(sums[j], Vd);
    Vd own_mean = __builtin_convertvector(means[j], Vd);
    if (before > 0) {
      Vd their_mean, their_squares;
      std::memcpy(&their_mean, mean, sizeof(Vd));
      std::memcpy(&their_squares, squares, sizeof(Vd));
      const Vd apart = own_mean - their_mean;
      own_mean = their_mean + apart * share;
      own_squares += their_squares + apart * apart * (static_cast<double>(before) * share);
    }
    std::memcpy(mean, &own_mean, sizeof(Vd));
    std::memcpy(squares, &own_squares, sizeof(Vd));
  }
}

template <bool kLayer>
void Moments(const NormalizePiece& p, double* mean, double* squares) {
  constexpr int kStrip = 4;
  for (size_t row = 0; row < p.rows; row += kMomentRows) {
    const size_t rows = p.rows - row < kMomentRows ? p.rows - row : kMomentRows;
    const float* x = p.x + static_cast<ptrdiff_t>(row) * p.x_row;
    size_t col = 0;
    for (; col + kStrip * kLanes <= p.cols; col += kStrip * kLanes) {
      JoinMoments<kLayer, kStrip>(x + col, p.x_row, rows, kLanes, row, mean + col, squares + col);
    }
    for (; col < p.cols; col += kLanes) {
      const size_t lanes = p.cols - col < kLanes ? p.cols - col : kLanes;
      JoinMoments<kLayer, 1>(x + col, p.x_row, rows, lanes, row, mean + col, squares + col);
    }
  }
}

void ScaleColumns(const NormalizePiece& p, const float* mean, const float* factor,
                  const float* shift) {
  // As many as stay in L1 until the epilogue has passed over them.
  constexpr size_t kRows = 8;
  const float* x = p.x;
  float* y = p.y;
  for (size_t first = 0; first < p.rows; first += kRows) {
    const size_t rows = p.rows - first < kRows ? p.rows - first : kRows;
    float* const top = y;
    for (size_t row = 0; row < rows; ++row, x += p.x_row, y += p.y_row) {
      size_t i = 0;
      for (; i + kLanes <= p.cols; i += kLanes) {
        const Vf scaled = (Load(x + i) - Load(mean + i)) * Load(factor + i) + Load(shift + i);
        Store(y + i, Clamped(scaled, p.clamp));
      }
      if (i < p.cols) {
        const Vf last = LoadPart(x + i, p.cols - i);
        const Vf scaled = (last - Load(mean + i)) * Load(factor + i) + Load(shift + i);
        StorePart(y + i, Clamped(scaled, p.clamp), p.cols - i);
      }
    }
    FollowRows(p, first, rows, top);
  }
}

}  // namespace

// By kind (normalizeKinds in src/ops/reduction.ts).
const NormalizeKernels kNormalize = {
    {Rows<true>, Rows<false>}, {Moments<true>, Moments<false>}, ScaleColumns};

}  // namespace graviton::GRAVITON_NS
