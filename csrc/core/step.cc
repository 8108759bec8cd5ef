#include "core/step.h"

namespace graviton {
namespace {

// No dense tensor or sensible stride product comes near this; below it sums cannot overflow.
constexpr int64_t kReachLimit = int64_t{1} << 56;

Status CheckDType(const char* what, const Operand& operand, DType dtype) {
  if (operand.given() && operand.dtype == dtype) return {};
  if (!operand.given()) return Status::Error(Code::kInvalidStep, "%s is missing", what);
  return Status::Error(Code::kDType, "%s is %s; it must be %s", what, NameOf(operand.dtype),
                       NameOf(dtype));
}

}  // namespace

Status CheckOperand(const char* what, const Operand& operand, DType dtype, List shape,
                    List strides) {
  if (Status status = CheckDType(what, operand, dtype); !status.ok()) return status;
  if (shape.size() != strides.size() || shape.size() > kMaxRank) {
    return Status::Error(Code::kInvalidStep, "%s has rank %zu and %zu strides; at most rank %zu",
                         what, shape.size(), strides.size(), kMaxRank);
  }
  int64_t lowest = 0;
  int64_t highest = 0;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] < 0) {
      return Status::Error(Code::kShape, "%s has the size %d on axis %zu", what, shape[axis], axis);
    }
    if (shape[axis] == 0) return {};
    const int64_t reach = int64_t{shape[axis] - 1} * strides[axis];
    if (reach > kReachLimit || reach < -kReachLimit) {
      return Status::Error(Code::kShape, "%s reaches too far on axis %zu", what, axis);
    }
    (reach < 0 ? lowest : highest) += reach;
  }
  if (lowest < -operand.before || highest >= operand.after) {
    return Status::Error(
        Code::kShape,
        "%s would reach the elements [%lld, %lld] of a buffer that holds [%lld, %lld)", what,
        static_cast<long long>(lowest), static_cast<long long>(highest),
        static_cast<long long>(-operand.before), static_cast<long long>(operand.after));
  }
  return {};
}

Status CheckDense(const char* what, const Operand& operand, DType dtype, int64_t elems) {
  if (Status status = CheckDType(what, operand, dtype); !status.ok()) return status;
  if (elems < 0 || elems > operand.after) {
    return Status::Error(Code::kShape, "%s needs %lld elements; its buffer holds %lld", what,
                         static_cast<long long>(elems), static_cast<long long>(operand.after));
  }
  return {};
}

}  // namespace graviton
