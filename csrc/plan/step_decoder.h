#ifndef GRAVITON_PLAN_STEP_DECODER_H_
#define GRAVITON_PLAN_STEP_DECODER_H_

#include "core/ops.gen.h"

namespace graviton {

// A step is words: op number, input count, output count, parameter count, then (slot, offset) for
// each input and output, then the parameters. Slot 0 is "not given"; offsets count elements. What a
// slot means is the reader's affair: a handle in eager mode, a storage in a plan.
struct OperandWords {
  uint32_t slot;
  uint32_t offset;
};

struct StepWords {
  const OpEntry* op;
  List operands;  // 2 words each: the inputs, then the outputs
  size_t inputs;
  size_t outputs;
  List params;
  size_t words;  // length of the whole step

  OperandWords operand(size_t i) const {
    return {static_cast<uint32_t>(operands[2 * i]), static_cast<uint32_t>(operands[2 * i + 1])};
  }
};

// Decodes the step at the start of `words`; checks the op, its arity and that the words are there.
Status DecodeStep(List words, StepWords* step);

// The operand `offset` elements into `elems` elements at `data`.
Status MakeOperand(void* data, size_t elems, DType dtype, Buffer* buffer, uint32_t offset,
                   Operand* operand);

}  // namespace graviton

#endif  // GRAVITON_PLAN_STEP_DECODER_H_
