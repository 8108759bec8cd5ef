// Runs programs and epilogues (kernels/pointwise/program.h) from inside any family that is built
// per instruction-set level:
//
//   RunEpilogue(epilogue, b1, b2, row, col, n, acc, acc);   // n ≤ kTile columns of one row, in
//   place
//
// The interpreter is compiled once per level, in kernels/pointwise/interpreter.cc, and called
// directly: the namespace of the level names it, so no table or pointer is looked up, and a family
// pays for none of its code. Included again for each level, hence the guard per level.
#include "kernels/pointwise/program.h"

// A level that adds bf16 to another runs that level's interpreter.
#ifndef GRAVITON_FP32_NS
#define GRAVITON_FP32_NS GRAVITON_NS
#endif

// clang-format off
#if (GRAVITON_VECTOR_BYTES == 16 && !defined(GRAVITON_PROGRAM_16)) || \
    (GRAVITON_VECTOR_BYTES == 32 && !defined(GRAVITON_PROGRAM_32)) || \
    (GRAVITON_VECTOR_BYTES == 64 && !defined(GRAVITON_PROGRAM_64))
#if GRAVITON_VECTOR_BYTES == 16
#define GRAVITON_PROGRAM_16
#elif GRAVITON_VECTOR_BYTES == 32
#define GRAVITON_PROGRAM_32
#else
#define GRAVITON_PROGRAM_64
#endif
// clang-format on

namespace graviton::GRAVITON_FP32_NS {

// out[i] = program(inputs…[i]) for i < n. n ≤ kTile, save for a program of one instruction without
// bool or gathered operands, which takes any n. `out` may be an input of the same element type that
// is read with step 1, and overlaps no other.
void Interpret(const Program& program, const TileInput* inputs, void* out, DType out_type,
               size_t n);

// The same for rows x cols ≤ kTile float32 elements, whose rows are out_row_step apart in `out`.
void InterpretRows(const Program& program, const TileInput* inputs, float* out,
                   int64_t out_row_step, size_t rows, size_t cols);

}  // namespace graviton::GRAVITON_FP32_NS

namespace graviton::GRAVITON_NS {

// inputs[inputs_count]: as many as DecodeProgram was told of.
static inline void RunProgram(const Program& program, const TileInput* inputs,
                              [[maybe_unused]] size_t inputs_count, void* out, DType out_type,
                              size_t n) {
  GRAVITON_FP32_NS::Interpret(program, inputs, out, out_type, n);
}

static inline void PointToInputs(const Epilogue& e, int64_t i0, int64_t i1, int64_t i2, int64_t col,
                                 const float* acc, int64_t acc_row_step, TileInput* inputs) {
  inputs[0] = {acc, 1, DType::kFloat32, acc_row_step};
  for (size_t i = 0; i < e.inputs; ++i) {
    const int32_t* strides = e.strides[i];
    const int64_t at = i0 * strides[0] + i1 * strides[1] + i2 * strides[2] + col * strides[3];
    const Operand& operand = e.operands[i];
    inputs[1 + i] = {
        static_cast<const char*>(operand.data) + at * static_cast<int64_t>(SizeOf(operand.dtype)),
        strides[3], operand.dtype, strides[2]};
  }
}

// Columns [col, col + n) of the row (i0, i1, i2) of the index space given to BindEpilogue: n ≤
// kTile, acc[0] and out[0] belong to column `col`. out == acc is allowed. The epilogue must not be
// empty.
static inline void RunEpilogue(const Epilogue& e, int64_t i0, int64_t i1, int64_t i2, int64_t col,
                               size_t n, const float* acc, float* out) {
  TileInput inputs[kMaxProgramInputs];
  PointToInputs(e, i0, i1, i2, col, acc, 0, inputs);
  GRAVITON_FP32_NS::Interpret(e.program, inputs, out, DType::kFloat32, n);
}

// The same for the rows i2, i2 + 1, … , which lie row_step apart in acc and out: for short rows, of
// which a tile holds several, this costs a fraction of a run for each.
static inline void RunEpilogueRows(const Epilogue& e, int64_t i0, int64_t i1, int64_t i2,
                                   size_t rows, int64_t col, size_t n, const float* acc, float* out,
                                   int64_t row_step) {
  const size_t most = n < kTile ? kTile / n : 1;
  for (size_t row = 0; row < rows; row += most) {
    const size_t here = rows - row < most ? rows - row : most;
    TileInput inputs[kMaxProgramInputs];
    const int64_t offset = static_cast<int64_t>(row) * row_step;
    PointToInputs(e, i0, i1, i2 + static_cast<int64_t>(row), col, acc + offset, row_step, inputs);
    GRAVITON_FP32_NS::InterpretRows(e.program, inputs, out + offset, row_step, here, n);
  }
}

}  // namespace graviton::GRAVITON_NS

#endif
