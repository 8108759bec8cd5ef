#ifndef GRAVITON_KERNELS_POINTWISE_PROGRAM_H_
#define GRAVITON_KERNELS_POINTWISE_PROGRAM_H_

#include <cstddef>
#include <cstdint>

#include "core/ops.gen.h"

namespace graviton {

// A register program over elements: how Pointwise and every epilogue compute. The words are
// described at Pointwise in src/ops/pointwise.ts. Run tile by tile, so that registers stay in L1.
inline constexpr size_t kTile = 256;  // elements; 32 registers of it fill a 32 KiB L1
inline constexpr size_t kMaxRegisters = 32;
inline constexpr size_t kMaxProgramInputs = 32;
inline constexpr size_t kMaxImmediates = 128;
inline constexpr size_t kFirstInput = kMaxRegisters;  // operand numbers
inline constexpr size_t kFirstImmediate = kFirstInput + kMaxProgramInputs;

struct Instruction {
  Scalar scalar;
  uint8_t destination;
  uint8_t operands[3];  // 0–31 register, 32–63 input, 64–191 immediate; unused ones are 0
};
static_assert(sizeof(Instruction) == 6);

// Made by DecodeProgram alone, which is what makes running one safe. Points into the step's words:
// lives as long as they do.
struct Program {
  uint32_t registers = 0;
  uint32_t instructions = 0;  // 0: no program (an epilogue that is not there)
  List code;                  // two words per instruction
  List immediates;
  bool empty() const { return instructions == 0; }
  Instruction At(size_t i) const {
    const auto head = static_cast<uint32_t>(code[2 * i]);
    const auto operands = static_cast<uint32_t>(code[2 * i + 1]);
    return {.scalar = static_cast<Scalar>(head & 0xffff),
            .destination = static_cast<uint8_t>(head >> 16),
            .operands = {static_cast<uint8_t>(operands), static_cast<uint8_t>(operands >> 8),
                         static_cast<uint8_t>(operands >> 16)}};
  }
};

// Checks numbers of operands, that registers are written before they are read, and register types
// against the inputs' and output's element types. An empty list gives an empty program.
Status DecodeProgram(const char* op, List words, const DType* input_types, size_t inputs,
                     DType output_type, Program* program);

// One input for a tile of rows x cols ≤ kTile elements. Read in place: one element that repeats
// (both steps 0), and elements that lie one after the other through all rows. Others, and bools,
// are gathered at each use.
struct TileInput {
  const void* data;
  int64_t step;  // from column to column
  DType dtype;
  int64_t row_step;  // from row to row
};

// What follows a matrix product or convolution, bound to its operands: see BindEpilogue.
struct Epilogue {
  Program program;
  size_t inputs = 0;  // beyond input 0, the product itself
  Operand operands[kMaxProgramInputs];
  int32_t strides[kMaxProgramInputs][4];
  bool empty() const { return program.empty(); }
};

// Decodes and checks an epilogue over the index space shape[4] (b1, b2, m, n or n, h, w, c).
// `inputs` are those beyond the product, which is the program's input 0; `strides` has four for
// each of them. Points into the step's words and operands' buffers: lives as long as they do.
// RunEpilogue in program-inl.h runs it.
Status BindEpilogue(const char* op, List program, List strides, Operands inputs,
                    const int64_t (&shape)[4], Epilogue* epilogue);

}  // namespace graviton

#endif  // GRAVITON_KERNELS_POINTWISE_PROGRAM_H_
