#include "kernels/reduce/fold-inl.h"
#include "kernels/softmax/softmax.h"
#include "simd/math-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

// With or without NaN: one in the row comes back through exp(x − max) and the sum.
struct AnyMaxFold : FoldOf<float, Vf> {
  static constexpr float kNeutral = -__builtin_inff();
  static Vf Combine(Vf a, Vf b) { return MaxOrSecond(a, b); }
  static float Combine(float a, float b) { return a > b ? a : b; }
};

float MaxOfRow(const float* x, size_t n) { return FoldRow<AnyMaxFold>(x, n, Unchanged()); }

template <bool kStore>
inline Vf ExpSumBlock(const float* x, float max, float* y, size_t n) {
  Vf sums[2] = {Vf{}, Vf{}};
  size_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
#pragma GCC unroll 2
    for (size_t j = 0; j < 2; ++j) {
      const Vf e = Exp(Load(x + i + j * kLanes) - max);
      if (kStore) Store(y + i + j * kLanes, e);
      sums[j] += e;
    }
  }
  for (; i < n; i += kLanes) {
    const size_t left = n - i;
    if (left >= kLanes) {
      const Vf e = Exp(Load(x + i) - max);
      if (kStore) Store(y + i, e);
      sums[0] += e;
    } else {
      const Vf e = Exp(LoadPart(x + i, left) - max);
      if (kStore) StorePart(y + i, e, left);
      sums[1] += LastLanes<SumFold>(kLanes - left) ? Vf{} : e;
    }
  }
  return sums[0] + sums[1];
}

template <bool kStore>
inline float ExpSumRow(const float* x, float max, float* y, size_t n) {
  constexpr size_t kBlock = kRowBlockVectors * kLanes;
  if (n <= kBlock) return FoldLanes<SumFold>(ExpSumBlock<kStore>(x, max, y, n));
  Tree<SumFold, Vf> tree;
  for (size_t i = 0; i < n; i += kBlock) {
    tree.Add(ExpSumBlock<kStore>(x + i, max, y + i, n - i < kBlock ? n - i : kBlock));
  }
  return FoldLanes<SumFold>(tree.Total());
}

float ExpSum(const float* x, float max, float* y, size_t n) {
  return y == nullptr ? ExpSumRow<false>(x, max, nullptr, n) : ExpSumRow<true>(x, max, y, n);
}

void ScaleRow(float* y, float factor, size_t n) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Store(y + i, Load(y + i) * factor);
  for (; i < n; ++i) y[i] *= factor;
}

// Two subtractions: max + log(sum) would round to max where the row is large.
void Subtract(const float* x, float max, float sum, float* y, size_t n) {
  const float log_sum = Log(Splat(sum))[0];
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Store(y + i, (Load(x + i) - max) - log_sum);
  for (; i < n; ++i) y[i] = (x[i] - max) - log_sum;
}

void Rows(const float* x, float* y, size_t rows, size_t cols, bool logarithm) {
  for (size_t row = 0; row < rows; ++row, x += cols, y += cols) {
    const float max = MaxOfRow(x, cols);
    if (logarithm) {
      Subtract(x, max, ExpSumRow<false>(x, max, nullptr, cols), y, cols);
    } else {
      ScaleRow(y, 1.0f / ExpSumRow<true>(x, max, y, cols), cols);
    }
  }
}

}  // namespace

const SoftmaxKernels kSoftmax = {Rows, MaxOfRow, ExpSum, ScaleRow, Subtract};

}  // namespace graviton::GRAVITON_NS
