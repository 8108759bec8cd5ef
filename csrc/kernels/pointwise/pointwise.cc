#include "core/ops.gen.h"

namespace graviton {

Status Pointwise(const StepContext&, const PointwiseParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "Pointwise is not built yet");
}

}  // namespace graviton
