#include "core/ops.gen.h"

namespace graviton {

Status Normalize(const StepContext&, const NormalizeParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "Normalize is not built yet");
}

}  // namespace graviton
