#include "core/ops.gen.h"

namespace graviton {

Status Softmax(const StepContext&, const SoftmaxParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "Softmax is not built yet");
}

}  // namespace graviton
