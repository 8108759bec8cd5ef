#ifndef GRAVITON_KERNELS_POINTWISE_CLAMP_H_
#define GRAVITON_KERNELS_POINTWISE_CLAMP_H_

#include <limits>

#include "kernels/pointwise/program.h"

namespace graviton {

// x < low ? low : x > high ? high : x; NaN passes. What most convolutions are followed by (Relu,
// Relu6): kernels apply it to their sums in registers, where a program would read and write the
// result once more.
struct Clamp {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

// Whether the program does nothing but clamp its input 0: a chain of Relu, Relu6, Maximum,
// Minimum and Clip with constants.
bool AsClamp(const Program& program, Clamp* clamp);

// Whether it adds its input 1 to input 0 and does nothing else but clamp: a residual connection.
bool AsAddAndClamp(const Program& program, Clamp* clamp);

}  // namespace graviton

#endif  // GRAVITON_KERNELS_POINTWISE_CLAMP_H_
