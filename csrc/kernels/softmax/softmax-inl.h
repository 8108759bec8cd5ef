#include "kernels/reduce/fold-inl.h"
#include "kernels/softmax/softmax.h"

namespace graviton::GRAVITON_NS {
namespace {

// Without NaN: a NaN in the row comes back through exp(x − max) and the sum.
struct PlainMaxFold : FoldOf<float, Vf> {
  static constexpr float kNeutral = -__builtin_inff();
  template <class T>
  static T Combine(T a, T b) {
    return b > a ? b : a;
  }
};

// exp(x) for x ≤ 0 or NaN: 2^n e^r with |r| ≤ log(2) / 2 and a polynomial of degree 6 (Cephes
// expf); in two halves of 2^n, so that results below 2^-126 are rounded rather than lost.
inline Vf Exp(Vf x) {
  constexpr float kMagic = 12582912.0f;  // 1.5 · 2^23: adding it rounds to an integer
  x = x < -104.0f ? Splat(-104.0f) : x;
  const Vf shifted = x * 1.44269504f + kMagic;
  const Vf n = shifted - kMagic;
  Vf r = n * -0.693359375f + x;
  r = n * 2.12194440e-4f + r;
  Vf p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const Vi exponent = Bits(shifted) - Bits(Splat(kMagic));
  const Vi half = exponent >> 1;
  p *= FromBits((half + 127) << 23);
  return p * FromBits((exponent - half + 127) << 23);
}

float Max(const float* x, size_t n) { return FoldRow<PlainMaxFold>(x, n, Unchanged()); }

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

void Scale(float* y, float factor, size_t n) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Store(y + i, Load(y + i) * factor);
  for (; i < n; ++i) y[i] *= factor;
}

// Two subtractions: max + log_sum would round to max where the row is large.
void Subtract(const float* x, float max, float log_sum, float* y, size_t n) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Store(y + i, (Load(x + i) - max) - log_sum);
  for (; i < n; ++i) y[i] = (x[i] - max) - log_sum;
}

void Rows(const float* x, float* y, size_t rows, size_t cols, bool logarithm) {
  for (size_t row = 0; row < rows; ++row, x += cols, y += cols) {
    const float max = Max(x, cols);
    if (logarithm) {
      Subtract(x, max, __builtin_logf(ExpSumRow<false>(x, max, nullptr, cols)), y, cols);
    } else {
      Scale(y, 1.0f / ExpSumRow<true>(x, max, y, cols), cols);
    }
  }
}

}  // namespace

const SoftmaxKernels kSoftmax = {Rows, Max, ExpSum, Scale, Subtract};

}  // namespace graviton::GRAVITON_NS
