#include "core/ops.gen.h"

namespace graviton {

Status Resize2D(const StepContext&, const Resize2DParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "Resize2D is not built yet");
}

}  // namespace graviton
