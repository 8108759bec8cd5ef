#include "core/ops.gen.h"

namespace graviton {

Status DepthwiseConv2D(const StepContext&, const DepthwiseConv2DParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "DepthwiseConv2D is not built yet");
}

}  // namespace graviton
