#include "core/ops.gen.h"

namespace graviton {

Status Attention(const StepContext&, const AttentionParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "Attention is not built yet");
}

}  // namespace graviton
