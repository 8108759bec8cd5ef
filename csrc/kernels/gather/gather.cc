#include "core/ops.gen.h"

namespace graviton {

Status Gather(const StepContext&, const GatherParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "Gather is not built yet");
}

Status GatherNd(const StepContext&, const GatherNdParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "GatherNd is not built yet");
}

Status OneHot(const StepContext&, const OneHotParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "OneHot is not built yet");
}

}  // namespace graviton
