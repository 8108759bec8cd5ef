#include "kernels/fft/fft.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/ops.gen.h"
#include "kernels/movement/runs.h"
#include "threads/parts.h"

#define GRAVITON_TARGET_INCLUDE "kernels/fft/fft-inl.h"
#include "simd/foreach_target.h"

namespace graviton {
namespace {

constexpr double kPi = 3.14159265358979323846;
// Rows transformed together: a vector of the widest level.
constexpr int64_t kLanesTogether = 16;

// A block of scratch, handed out piece by piece.
class Pieces {
 public:
  explicit Pieces(void* block) : next_(static_cast<float*>(block)) {}
  float* Take(int64_t elems) {
    float* const piece = next_;
    next_ += elems;
    return piece;
  }
  Complex TakeComplex(int64_t elems) { return {Take(elems), Take(elems)}; }

 private:
  float* next_;
};

// Factors of n, each at most kMostRadix; false where a prime factor is larger.
bool Factor(int64_t n, int64_t (&factors)[64], int* count) {
  *count = 0;
  for (const int64_t radix : {4, 2, 3, 5, 7, 11, 13}) {
    while (n % radix == 0) {
      factors[(*count)++] = radix;
      n /= radix;
    }
  }
  return n == 1;
}

void FillRoots(int64_t n, float* cosine, float* sine) {
  for (int64_t t = 0; t < n; ++t) {
    const double angle = 2 * kPi * static_cast<double>(t) / static_cast<double>(n);
    cosine[t] = static_cast<float>(std::cos(angle));
    sine[t] = static_cast<float>(-std::sin(angle));
  }
}

struct Roots {
  int64_t n;
  const float* cosine;
  const float* sine;
};

// Transforms `lanes` interleaved rows of length n; returns which of the two has the result.
Complex Transformed(const FftKernels& kernels, const Roots& roots, int64_t lanes, Complex x,
                    Complex other) {
  int64_t factors[64];
  int count = 0;
  Factor(roots.n, factors, &count);
  int64_t rest = roots.n;
  int64_t stride = lanes;
  for (int f = 0; f < count; ++f) {
    rest /= factors[f];
    kernels.pass({factors[f], rest, stride, roots.cosine, roots.sine, roots.n}, x, other);
    stride *= factors[f];
    std::swap(x, other);
  }
  return x;
}

// What all rows share. Bluestein: X[k] = w[k] Σ (x[j] w[j]) · conj(w[k − j]) with w[j] =
// exp(−πi j² / n), a circular convolution of a length `size` that factors.
struct Plan {
  int64_t cols;
  int64_t size;  // cols itself, or a power of two from 2 cols − 1 on
  Roots roots;
  Complex chirp;     // w; null: plain
  Complex spectrum;  // of conj(w)

  bool plain() const { return size == cols; }
};

void FillChirp(const FftKernels& kernels, const Plan& plan, Complex scratch) {
  const int64_t n = plan.cols;
  const Complex w = plan.chirp;
  std::fill_n(plan.spectrum.real, plan.size, 0.0F);
  std::fill_n(plan.spectrum.imag, plan.size, 0.0F);
  for (int64_t j = 0; j < n; ++j) {
    const double angle = kPi * static_cast<double>(j * j % (2 * n)) / static_cast<double>(n);
    w.real[j] = static_cast<float>(std::cos(angle));
    w.imag[j] = static_cast<float>(-std::sin(angle));
    for (const int64_t at : {j, (plan.size - j) % plan.size}) {
      plan.spectrum.real[at] = w.real[j];
      plan.spectrum.imag[at] = -w.imag[j];
    }
  }
  const Complex result = Transformed(kernels, plan.roots, 1, plan.spectrum, scratch);
  if (result.real == plan.spectrum.real) return;
  std::copy_n(result.real, plan.size, plan.spectrum.real);
  std::copy_n(result.imag, plan.size, plan.spectrum.imag);
}

// b[i] = scale · a[i] · w[i] over rows of `lanes`; conjugated if asked.
void MultiplyRows(Complex a, Complex w, int64_t count, int64_t lanes, float scale) {
  for (int64_t i = 0; i < count; ++i) {
    const float wr = w.real[i] * scale;
    const float wi = w.imag[i] * scale;
    for (int64_t q = i * lanes; q < (i + 1) * lanes; ++q) {
      const float real = a.real[q] * wr - a.imag[q] * wi;
      a.imag[q] = a.real[q] * wi + a.imag[q] * wr;
      a.real[q] = real;
    }
  }
}

Complex Bluestein(const FftKernels& kernels, const Plan& plan, int64_t lanes, Complex x,
                  Complex other) {
  MultiplyRows(x, plan.chirp, plan.cols, lanes, 1);
  std::fill(x.real + plan.cols * lanes, x.real + plan.size * lanes, 0.0F);
  std::fill(x.imag + plan.cols * lanes, x.imag + plan.size * lanes, 0.0F);
  Complex y = Transformed(kernels, plan.roots, lanes, x, other);
  Complex free = y.real == x.real ? other : x;
  MultiplyRows(y, plan.spectrum, plan.size, lanes, 1 / static_cast<float>(plan.size));
  // The inverse is the transform with real and imaginary parts exchanged.
  std::swap(y.real, y.imag);
  std::swap(free.real, free.imag);
  Complex z = Transformed(kernels, plan.roots, lanes, y, free);
  std::swap(z.real, z.imag);
  MultiplyRows(z, plan.chirp, plan.cols, lanes, 1);
  return z;
}

// Rows [first, first + lanes): from row-major to one row a lane, and back.
void Gather(const float* x, int64_t cols, int64_t lanes, float* to) {
  for (int64_t q = 0; q < lanes; ++q) {
    for (int64_t j = 0; j < cols; ++j) to[j * lanes + q] = x[q * cols + j];
  }
}
void Ungather(const float* from, int64_t cols, int64_t lanes, float scale, float* y) {
  for (int64_t q = 0; q < lanes; ++q) {
    for (int64_t j = 0; j < cols; ++j) y[q * cols + j] = from[j * lanes + q] * scale;
  }
}

}  // namespace

Status Fft(const StepContext& context, const FftParams& params, Operands in, Operands out) {
  const int64_t rows = params.rows;
  const int64_t cols = params.cols;
  const int64_t elems = ProductOf(rows, cols);
  Status status = CheckDense("Fft real", in[0], DType::kFloat32, elems);
  if (status.ok()) status = CheckDense("Fft imag", in[1], DType::kFloat32, elems);
  if (status.ok()) status = CheckDense("Fft real output", out[0], DType::kFloat32, elems);
  if (status.ok()) status = CheckDense("Fft imag output", out[1], DType::kFloat32, elems);
  if (!status.ok()) return status;
  if (elems == 0) return {};
  int64_t factors[64];
  int count = 0;
  int64_t size = cols;
  if (!Factor(cols, factors, &count)) {
    size = 1;
    while (size < 2 * cols - 1) size *= 2;
  }
  const bool plain = size == cols;
  const int64_t lanes = std::min(rows, kLanesTogether);
  const int64_t blocks = (rows + lanes - 1) / lanes;
  const double work_ns = static_cast<double>(rows) * static_cast<double>(size) * (plain ? 1 : 3) *
                         (2 + std::log2(static_cast<double>(size)));
  const size_t parts = PartsFor(context.threads, static_cast<size_t>(blocks), work_ns);
  // Roots, chirp and its spectrum with room for its transform; per thread two complex blocks.
  const int64_t shared = 2 * size + (plain ? 0 : 2 * cols + 4 * size);
  const int64_t each = 4 * size * lanes;
  void* block = nullptr;
  const auto floats = static_cast<size_t>(shared) + parts * static_cast<size_t>(each);
  if (Status s = context.scratch.Reserve(floats * sizeof(float), &block); !s.ok()) return s;
  Pieces pieces(block);
  const FftKernels& kernels = *SelectkFftKernels(context.isa);
  float* const cosine = pieces.Take(size);
  float* const sine = pieces.Take(size);
  FillRoots(size, cosine, sine);
  Plan plan = {cols, size, {size, cosine, sine}, {nullptr, nullptr}, {nullptr, nullptr}};
  if (!plain) {
    plan.chirp = pieces.TakeComplex(cols);
    plan.spectrum = pieces.TakeComplex(size);
    FillChirp(kernels, plan, pieces.TakeComplex(size));
  }
  float* const own = pieces.Take(0);
  // The inverse transform is the transform with real and imaginary parts exchanged, over cols.
  const int swapped = params.inverse ? 1 : 0;
  const float* const real = in[static_cast<size_t>(swapped)].f32();
  const float* const imag = in[static_cast<size_t>(1 - swapped)].f32();
  float* const to_real = out[static_cast<size_t>(swapped)].f32();
  float* const to_imag = out[static_cast<size_t>(1 - swapped)].f32();
  const float scale = params.inverse ? 1 / static_cast<float>(cols) : 1;
  context.pool.Run(parts, [&](size_t part) {
    Pieces mine(own + part * static_cast<size_t>(each));
    const Complex x = mine.TakeComplex(size * lanes);
    const Complex other = mine.TakeComplex(size * lanes);
    const Range range = Partition(static_cast<size_t>(blocks), parts, part);
    for (size_t b = range.begin; b < range.end; ++b) {
      const int64_t first = static_cast<int64_t>(b) * lanes;
      const int64_t used = std::min(lanes, rows - first);
      Gather(real + first * cols, cols, used, x.real);
      Gather(imag + first * cols, cols, used, x.imag);
      const Complex y = plan.plain() ? Transformed(kernels, plan.roots, used, x, other)
                                     : Bluestein(kernels, plan, used, x, other);
      Ungather(y.real, cols, used, scale, to_real + first * cols);
      Ungather(y.imag, cols, used, scale, to_imag + first * cols);
    }
  });
  return {};
}

Status WindowSum(const StepContext& context, const WindowSumParams& params, Operands in,
                 Operands out) {
  const int64_t rows = params.rows;
  const int64_t cols = params.cols;
  const int64_t elems = ProductOf(rows, cols);
  Status status = CheckDense("WindowSum x", in[0], DType::kFloat32, elems);
  if (status.ok()) status = CheckDense("WindowSum output", out[0], DType::kFloat32, elems);
  if (!status.ok()) return status;
  if (elems == 0) return {};
  const int64_t radius = std::min(int64_t{params.radius}, cols - 1);
  const double work_ns = static_cast<double>(elems) * (1 + 0.2 * static_cast<double>(radius));
  const size_t parts = PartsFor(context.threads, static_cast<size_t>(rows), work_ns);
  context.pool.Run(parts, [&](size_t part) {
    const Range range = Partition(static_cast<size_t>(rows), parts, part);
    for (auto r = static_cast<int64_t>(range.begin); r < static_cast<int64_t>(range.end); ++r) {
      const float* __restrict x = in[0].f32() + r * cols;
      float* __restrict y = out[0].f32() + r * cols;
      std::fill_n(y, cols, 0.0F);
      for (int64_t k = -radius; k <= radius; ++k) {
        const int64_t first = std::max<int64_t>(0, -k);
        const int64_t last = std::min(cols, cols - k);
        for (int64_t c = first; c < last; ++c) y[c] += x[c + k];
      }
    }
  });
  return {};
}

}  // namespace graviton
