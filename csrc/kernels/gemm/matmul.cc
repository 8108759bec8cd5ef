#include "core/ops.gen.h"
#include "kernels/gemm/pack.h"

namespace graviton {

Status MatMul(const StepContext&, const MatMulParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "MatMul is not built yet");
}

Status PackWeights(const StepContext&, const PackWeightsParams&, Operands, Operands) {
  return Status::Error(Code::kUnsupported, "PackWeights is not built yet");
}

size_t PackedElemsOf(Isa, uint32_t, uint32_t, uint32_t, uint32_t) { return 0; }

}  // namespace graviton
