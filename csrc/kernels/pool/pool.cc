#include "core/ops.gen.h"

namespace graviton {

Status Pool2D(const StepContext&, const Pool2DParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "Pool2D is not built yet");
}

}  // namespace graviton
