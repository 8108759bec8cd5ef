#ifndef GRAVITON_KERNELS_POINTWISE_INTERPRETER_H_
#define GRAVITON_KERNELS_POINTWISE_INTERPRETER_H_

#include "kernels/pointwise/program.h"
#include "simd/dispatch.h"

namespace graviton {

// For callers that are built once, not per level; the others include program-inl.h.
struct InterpreterKernels {
  // out[i] = program(inputs…[i]) for i < n; see Interpret in program-inl.h.
  void (*interpret)(const Program& program, const TileInput* inputs, void* out, DType out_type,
                    size_t n);
};
GRAVITON_DISPATCH(InterpreterKernels, kInterpreter)

}  // namespace graviton

#endif  // GRAVITON_KERNELS_POINTWISE_INTERPRETER_H_
