#include "core/ops.gen.h"

namespace graviton {

Status Reduce(const StepContext&, const ReduceParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "Reduce is not built yet");
}

Status ArgReduce(const StepContext&, const ArgReduceParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "ArgReduce is not built yet");
}

}  // namespace graviton
