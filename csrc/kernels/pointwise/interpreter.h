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
  // Copies past the caches; whoever has done so ends with end_streaming (StoreStreaming in
  // simd/vector-inl.h).
  void (*stream)(const float* from, float* to, size_t n);
  void (*end_streaming)();
};
// Processors of Arm write past the caches by themselves.
#if defined(__aarch64__)
inline constexpr bool kStreams = false;
#else
inline constexpr bool kStreams = true;
#endif
GRAVITON_DISPATCH(InterpreterKernels, kInterpreter)

}  // namespace graviton

#endif  // GRAVITON_KERNELS_POINTWISE_INTERPRETER_H_
