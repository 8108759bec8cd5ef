#include "kernels/pointwise/clamp.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace graviton {
namespace {

// The number that an operand is; false where it is none.
bool ConstantOf(const Program& program, size_t operand, float* constant) {
  if (operand < kFirstImmediate) return false;
  std::memcpy(constant, &program.immediates[operand - kFirstImmediate], sizeof(*constant));
  return !std::isnan(*constant);
}

// The constant that the instruction combines `value` (an operand number) with.
bool OtherOperand(const Program& program, const Instruction& instruction, size_t value,
                  float* constant) {
  const uint8_t* operands = instruction.operands;
  const size_t other = operands[0] == value ? operands[1] : operands[0];
  return (operands[0] == value || operands[1] == value) && ConstantOf(program, other, constant);
}

// Whether the instructions from `first` on only clamp `value`.
bool IsClampOf(const Program& program, size_t first, size_t value, Clamp* clamp) {
  *clamp = {};
  for (size_t i = first; i < program.instructions; ++i) {
    const Instruction instruction = program.At(i);
    const uint8_t* operands = instruction.operands;
    Clamp own;
    switch (instruction.scalar) {
      case Scalar::kRelu6:
        own.high = 6;
        [[fallthrough]];
      case Scalar::kRelu:
        own.low = 0;
        if (operands[0] != value) return false;
        break;
      case Scalar::kMaximum:
        if (!OtherOperand(program, instruction, value, &own.low)) return false;
        break;
      case Scalar::kMinimum:
        if (!OtherOperand(program, instruction, value, &own.high)) return false;
        break;
      case Scalar::kClip:
        if (operands[0] != value || !ConstantOf(program, operands[1], &own.low) ||
            !ConstantOf(program, operands[2], &own.high)) {
          return false;
        }
        break;
      default:
        return false;
    }
    clamp->low = std::min(std::max(clamp->low, own.low), own.high);
    clamp->high = std::min(std::max(clamp->high, own.low), own.high);
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
