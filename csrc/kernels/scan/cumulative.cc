#include "core/ops.gen.h"

namespace graviton {

Status Cumulative(const StepContext&, const CumulativeParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "Cumulative is not built yet");
}

}  // namespace graviton
