// CropAndResize: y[b, i, j, :] = x[box_index[b], y1 (H − 1) + i (y2 − y1)(H − 1) / (crop_h − 1), …]
// Transform:     y[n, h, w, :] = x[n, (t3 w + t4 h + t5) / k, (t0 w + t1 h + t2) / k]
// Positions are computed in double precision, as tfjs-backend-cpu 4.22 does: whether one lies
// inside decides between two values that have nothing to do with each other.
#include <cmath>

#include "core/ops.gen.h"
#include "kernels/movement/runs.h"
#include "threads/parts.h"

namespace graviton {
namespace {

enum class Method : uint32_t { kBilinear = 0, kNearest = 1 };  // cropMethods in convolution.ts
enum class FillMode : uint32_t { kConstant = 0, kReflect = 1, kWrap = 2, kNearest = 3 };

struct Image {
  const float* x;
  int64_t h, w, channels;

  const float* pixel(int64_t row, int64_t col) const { return x + (row * w + col) * channels; }
};

// The four pixels around a position inside the image.
void Bilinear(const Image& image, double y, double x, float* out) {
  const auto top = static_cast<int64_t>(std::floor(y));
  const auto left = static_cast<int64_t>(std::floor(x));
  const auto bottom = static_cast<int64_t>(std::ceil(y));
  const auto right = static_cast<int64_t>(std::ceil(x));
  const auto down = static_cast<float>(y - static_cast<double>(top));
  const auto across = static_cast<float>(x - static_cast<double>(left));
  const float* p00 = image.pixel(top, left);
  const float* p01 = image.pixel(top, right);
  const float* p10 = image.pixel(bottom, left);
  const float* p11 = image.pixel(bottom, right);
  for (int64_t c = 0; c < image.channels; ++c) {
    const float above = p00[c] + (p01[c] - p00[c]) * across;
    const float below = p10[c] + (p11[c] - p10[c]) * across;
    out[c] = above + (below - above) * down;
  }
}

// A position whose neighbours may lie outside, where the image is `fill`.
void BilinearFilled(const Image& image, const float* fill, double y, double x, float* out) {
  const bool inside = y >= 0 && x >= 0 && y <= static_cast<double>(image.h - 1) &&
                      x <= static_cast<double>(image.w - 1);
  if (inside) {
    Bilinear(image, y, x, out);
    return;
  }
  const bool near =
      y > -1 && x > -1 && y < static_cast<double>(image.h) && x < static_cast<double>(image.w);
  if (!near) {  // NaN too
    std::memcpy(out, fill, static_cast<size_t>(image.channels) * sizeof(float));
    return;
  }
  const auto top = static_cast<int64_t>(std::floor(y));
  const auto left = static_cast<int64_t>(std::floor(x));
  const auto down = static_cast<float>(y - static_cast<double>(top));
  const auto across = static_cast<float>(x - static_cast<double>(left));
  const auto at = [&](int64_t row, int64_t col) {
    const bool known = row >= 0 && row < image.h && col >= 0 && col < image.w;
    return known ? image.pixel(row, col) : fill;
  };
  const float* p00 = at(top, left);
  const float* p01 = at(top, left + 1);
  const float* p10 = at(top + 1, left);
  const float* p11 = at(top + 1, left + 1);
  for (int64_t c = 0; c < image.channels; ++c) {
    const float above = (1 - across) * p00[c] + across * p01[c];
    const float below = (1 - across) * p10[c] + across * p11[c];
    out[c] = (1 - down) * above + down * below;
  }
}

// JavaScript's Math.round: halves go up.
void Nearest(const Image& image, const float* fill, double y, double x, float* out) {
  const double row = y + 0.5;  // inside, the conversion below rounds it down
  const double col = x + 0.5;
  const bool inside = row >= 0 && row < static_cast<double>(image.h) && col >= 0 &&
                      col < static_cast<double>(image.w);
  const float* from =
      inside ? image.pixel(static_cast<int64_t>(row), static_cast<int64_t>(col)) : fill;
  CopyRun(reinterpret_cast<char*>(out), reinterpret_cast<const char*>(from),
          static_cast<size_t>(image.channels) * sizeof(float));
}

double Clamped(double at, double most) { return at < 0 ? 0 : at > most ? most : at; }

// Maps a position outside [0, size) into it; tensorflow/core/kernels/image/image_ops.h.
double Mapped(double at, int64_t elems, FillMode mode) {
  const auto size = static_cast<double>(elems);
  const double most = size - 1;
  if (mode == FillMode::kConstant) return at;
  if (mode == FillMode::kNearest || elems <= 1) return Clamped(at, most);
  if (mode == FillMode::kReflect) {
    const double period = 2 * size;
    if (at < 0) {
      at += period * std::trunc(-at / period);
      at = at < -size ? at + period : -at - 1;
    } else if (at > most) {
      at -= period * std::trunc(at / period);
      if (at >= size) at = period - at - 1;
    }
    return Clamped(at, most);
  }
  if (at < 0) {
    at += size * (std::trunc(-at / most) + 1);
  } else if (at > most) {
    at -= size * std::trunc(at / most);
  }
  return Clamped(at, most);
}

// Calls row(i) for i in [0, rows), shared by as many threads as `elems` results are worth.
template <class Body>
void ForRows(const StepContext& context, int64_t rows, int64_t elems, const Body& row) {
  const double work_ns = 2.0 * static_cast<double>(elems);
  const size_t parts = PartsFor(context.threads, static_cast<size_t>(rows), work_ns);
  context.pool.Run(parts, [&](size_t part) {
    const Range range = Partition(static_cast<size_t>(rows), parts, part);
    for (auto i = static_cast<int64_t>(range.begin); i < static_cast<int64_t>(range.end); ++i) {
      row(i);
    }
  });
}

}  // namespace

Status CropAndResize(const StepContext& context, const CropAndResizeParams& params, Operands in,
                     Operands out) {
  if (params.method > static_cast<uint32_t>(Method::kNearest)) {
    return Status::Error(Code::kInvalidStep, "CropAndResize has no method %u", params.method);
  }
  const int64_t crop_h = params.crop_h;
  const int64_t crop_w = params.crop_w;
  const int64_t channels = params.channels;
  const int64_t elems = ProductOf(params.boxes, crop_h, crop_w, channels);
  Status status = CheckDense("CropAndResize image", in[0], DType::kFloat32,
                             ProductOf(params.batch, params.in_h, params.in_w, channels));
  if (status.ok()) {
    status = CheckDense("CropAndResize boxes", in[1], DType::kFloat32, int64_t{params.boxes} * 4);
  }
  if (status.ok()) {
    status = CheckDense("CropAndResize boxIndex", in[2], DType::kInt32, params.boxes);
  }
  if (status.ok()) status = CheckDense("CropAndResize output", out[0], DType::kFloat32, elems);
  if (!status.ok()) return status;
  for (uint32_t b = 0; b < params.boxes; ++b) {
    const int32_t index = in[2].i32()[b];
    if (index < 0 || index >= static_cast<int64_t>(params.batch)) {
      return Status::Error(Code::kIndex, "CropAndResize: the image %d of box %u is not in [0, %u)",
                           index, b, params.batch);
    }
  }
  if (elems == 0) return {};
  const auto last_h = static_cast<double>(params.in_h) - 1;
  const auto last_w = static_cast<double>(params.in_w) - 1;
  const auto position = [](double from, double to, double last, int64_t i, int64_t size) {
    if (size <= 1) return 0.5 * (from + to) * last;
    return from * last +
           static_cast<double>(i) * ((to - from) * last / static_cast<double>(size - 1));
  };
  ForRows(context, params.boxes * crop_h, elems, [&](int64_t row) {
    const int64_t b = row / crop_h;
    const float* box = in[1].f32() + b * 4;
    const int64_t image_elems = int64_t{params.in_h} * params.in_w * channels;
    const Image image = {in[0].f32() + in[2].i32()[b] * image_elems, params.in_h, params.in_w,
                         channels};
    const double y = position(box[0], box[2], last_h, row % crop_h, crop_h);
    float* to = out[0].f32() + row * crop_w * channels;
    for (int64_t j = 0; j < crop_w; ++j, to += channels) {
      const double x = position(box[1], box[3], last_w, j, crop_w);
      const bool inside = y >= 0 && y <= last_h && x >= 0 && x <= last_w;  // NaN is not
      if (!inside) {
        std::fill_n(to, channels, params.extrapolation);
      } else if (params.method == static_cast<uint32_t>(Method::kBilinear)) {
        Bilinear(image, y, x, to);
      } else {
        Nearest(image, nullptr, y, x, to);
      }
    }
  });
  return {};
}

Status Transform(const StepContext& context, const TransformParams& params, Operands in,
                 Operands out) {
  if (params.method > static_cast<uint32_t>(Method::kNearest) ||
      params.fill_mode > static_cast<uint32_t>(FillMode::kNearest)) {
    return Status::Error(Code::kInvalidStep, "Transform has no method %u with fill mode %u",
                         params.method, params.fill_mode);
  }
  const int64_t out_h = params.out_h;
  const int64_t out_w = params.out_w;
  const int64_t channels = params.channels;
  const int64_t elems = ProductOf(params.batch, out_h, out_w, channels);
  const int64_t transforms = params.shared_transform ? 1 : int64_t{params.batch};
  Status status = CheckDense("Transform image", in[0], DType::kFloat32,
                             ProductOf(params.batch, params.in_h, params.in_w, channels));
  if (status.ok()) {
    status = CheckDense("Transform transforms", in[1], DType::kFloat32, transforms * 8);
  }
  if (status.ok()) status = CheckDense("Transform fill", in[2], DType::kFloat32, channels);
  if (status.ok()) status = CheckDense("Transform output", out[0], DType::kFloat32, elems);
  if (!status.ok()) return status;
  if (elems == 0) return {};
  const auto mode = static_cast<FillMode>(params.fill_mode);
  const float* fill = in[2].f32();
  const int64_t image_elems = int64_t{params.in_h} * params.in_w * channels;
  ForRows(context, params.batch * out_h, elems, [&](int64_t row) {
    const int64_t n = row / out_h;
    const float* t = in[1].f32() + (params.shared_transform ? 0 : n * 8);
    const Image image = {in[0].f32() + n * image_elems, params.in_h, params.in_w, channels};
    const auto h = static_cast<double>(row % out_h);
    float* to = out[0].f32() + row * out_w * channels;
    for (int64_t j = 0; j < out_w; ++j, to += channels) {
      const auto w = static_cast<double>(j);
      const double k = t[6] * w + t[7] * h + 1;
      if (k == 0 || image_elems == 0) {  // infinitely far away
        std::memcpy(to, fill, static_cast<size_t>(channels) * sizeof(float));
        continue;
      }
      const double x = Mapped((t[0] * w + t[1] * h + t[2]) / k, image.w, mode);
      const double y = Mapped((t[3] * w + t[4] * h + t[5]) / k, image.h, mode);
      if (params.method == static_cast<uint32_t>(Method::kNearest)) {
        Nearest(image, fill, y, x, to);
      } else {
        BilinearFilled(image, fill, y, x, to);
      }
    }
  });
  return {};
}

}  // namespace graviton
