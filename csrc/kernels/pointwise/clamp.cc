#include "kernels/pointwise/clamp.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace graviton {
namespace {

// The constant that the instruction combines `value` (an operand number) with.
bool OtherOperand(const Program& program, const Instruction& instruction, size_t value,
                  float* constant) {
  const uint8_t* operands = instruction.operands;
  const size_t other = operands[0] == value ? operands[1] : operands[0];
  if ((operands[0] != value && operands[1] != value) || other < kFirstImmediate) return false;
  std::memcpy(constant, &program.immediates[other - kFirstImmediate], sizeof(*constant));
  return !std::isnan(*constant);
}

// Whether the instructions from `first` on only clamp `value`.
bool IsClampOf(const Program& program, size_t first, size_t value, Clamp* clamp) {
  *clamp = {};
  for (size_t i = first; i < program.instructions; ++i) {
    const Instruction instruction = program.At(i);
    float constant = 0;
    switch (instruction.scalar) {
      case Scalar::kRelu:
      case Scalar::kRelu6:
        if (instruction.operands[0] != value) return false;
        break;
      case Scalar::kMaximum:
      case Scalar::kMinimum:
        if (!OtherOperand(program, instruction, value, &constant)) return false;
        break;
      default:
        return false;
    }
    if (instruction.scalar != Scalar::kMinimum) {
      clamp->low = std::max(clamp->low, constant);
      clamp->high = std::max(clamp->high, constant);
    }
    if (instruction.scalar == Scalar::kRelu6) constant = 6;
    if (instruction.scalar == Scalar::kMinimum || instruction.scalar == Scalar::kRelu6) {
      clamp->low = std::min(clamp->low, constant);
      clamp->high = std::min(clamp->high, constant);
    }
    value = instruction.destination;
  }
  return true;
}

}  // namespace

bool AsClamp(const Program& program, Clamp* clamp) {
  return !program.empty() && IsClampOf(program, 0, kFirstInput, clamp);
}

bool AsAddAndClamp(const Program& program, Clamp* clamp) {
  if (program.empty()) return false;
  const Instruction sum = program.At(0);
  const uint8_t* operands = sum.operands;
  const bool both = (operands[0] == kFirstInput && operands[1] == kFirstInput + 1) ||
                    (operands[0] == kFirstInput + 1 && operands[1] == kFirstInput);
  return sum.scalar == Scalar::kAdd && both && IsClampOf(program, 1, sum.destination, clamp);
}

}  // namespace graviton
