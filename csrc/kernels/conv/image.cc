#include "kernels/conv/image.h"

#include <utility>

namespace graviton {
namespace {

constexpr int64_t kMaxSize = INT32_MAX;

struct Axis {
  int64_t size;
  int64_t stride;
};

// Nested axes: each one's step is longer than all that the axes inside it reach.
bool Distinct(Axis a, Axis b, Axis c, int64_t channels) {
  if (a.size == 0 || b.size == 0 || c.size == 0) return true;
  Axis axes[] = {a, b, c};
  const auto order = [](Axis& low, Axis& high) {
    if (high.stride < low.stride) std::swap(low, high);
  };
  order(axes[0], axes[1]);
  order(axes[1], axes[2]);
  order(axes[0], axes[1]);
  int64_t reach = channels;
  for (const Axis& axis : axes) {
    if (axis.size == 1) continue;
    if (axis.stride < reach) return false;
    reach += (axis.size - 1) * axis.stride;
  }
  return true;
}

}  // namespace

Status CheckImage(const char* op, const Image& image, const Operand& x, const Operand& y) {
  const int64_t sizes[] = {image.batch,    image.in_h,       image.in_w,      image.in_c,
                           image.out_h,    image.out_w,      image.out_c,     image.filter_h,
                           image.filter_w, image.stride_h,   image.stride_w,  image.pad_top,
                           image.pad_left, image.dilation_h, image.dilation_w};
  for (int64_t size : sizes) {
    if (size > kMaxSize) {
      return Status::Error(Code::kShape, "%s has the size or step %lld; at most 2^31 - 1", op,
                           static_cast<long long>(size));
    }
  }
  if (image.stride_h == 0 || image.stride_w == 0 || image.dilation_h == 0 ||
      image.dilation_w == 0) {
    return Status::Error(Code::kShape, "%s: strides and dilations must be at least 1", op);
  }
  const int32_t x_shape[] = {static_cast<int32_t>(image.batch), static_cast<int32_t>(image.in_h),
                             static_cast<int32_t>(image.in_w), static_cast<int32_t>(image.in_c)};
  const int32_t x_strides[] = {static_cast<int32_t>(image.x_batch),
                               static_cast<int32_t>(image.x_row), static_cast<int32_t>(image.x_col),
                               1};
  if (Status status = CheckOperand(op, x, DType::kFloat32, x_shape, x_strides); !status.ok()) {
    return status;
  }
  const int32_t y_shape[] = {static_cast<int32_t>(image.batch), static_cast<int32_t>(image.out_h),
                             static_cast<int32_t>(image.out_w), static_cast<int32_t>(image.out_c)};
  const int32_t y_strides[] = {static_cast<int32_t>(image.y_batch),
                               static_cast<int32_t>(image.y_row), static_cast<int32_t>(image.y_col),
                               1};
  if (Status status = CheckOperand(op, y, DType::kFloat32, y_shape, y_strides); !status.ok()) {
    return status;
  }
  if (!image.empty() && !Distinct({image.batch, image.y_batch}, {image.out_h, image.y_row},
                                  {image.out_w, image.y_col}, image.out_c)) {
    return Status::Error(Code::kShape, "%s: the strides of y let its elements overlap", op);
  }
  return {};
}

bool ReadsEachOnce(const Image& image) {
  return Distinct({image.batch, image.x_batch}, {image.in_h, image.x_row},
                  {image.in_w, image.x_col}, image.in_c);
}

}  // namespace graviton
