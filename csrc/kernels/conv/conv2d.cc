#include "core/ops.gen.h"

namespace graviton {

Status Conv2D(const StepContext&, const Conv2DParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "Conv2D is not built yet");
}

}  // namespace graviton
