#include "core/ops.gen.h"

namespace graviton {

Status TopK(const StepContext&, const TopKParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "TopK is not built yet");
}

}  // namespace graviton
