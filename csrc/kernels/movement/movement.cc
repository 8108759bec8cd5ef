#include "core/ops.gen.h"

namespace graviton {

Status StridedCopy(const StepContext&, const StridedCopyParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "StridedCopy is not built yet");
}

Status Concat(const StepContext&, const ConcatParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "Concat is not built yet");
}

Status Pad(const StepContext&, const PadParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "Pad is not built yet");
}

Status Fill(const StepContext&, const FillParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "Fill is not built yet");
}

}  // namespace graviton
