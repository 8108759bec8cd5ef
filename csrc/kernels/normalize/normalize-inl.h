#include "kernels/normalize/normalize.h"
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

template <bool kLayer, bool kGamma, bool kBeta>
inline void RowsOf(const NormalizePiece& p) {
  const float* x = p.x;
  float* y = p.y;
  const auto cols = static_cast<float>(p.cols);
  for (size_t row = 0; row < p.rows; ++row, x += p.x_row, y += p.y_row) {
    const float mean = kLayer ? FoldRow<SumFold>(x, p.cols, Unchanged()) / cols : 0.0f;
    const float variance = FoldRow<SumFold>(x, p.cols, SquaredDeviation{mean}) / cols;
    ScaleRow<kGamma, kBeta>(p, x, y, mean, 1.0f / __builtin_sqrtf(variance + p.epsilon));
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

}  // namespace

// By kind (normalizeKinds in src/ops/reduction.ts).
const NormalizeKernels kNormalize = {{Rows<true>, Rows<false>}};

}  // namespace graviton::GRAVITON_NS
