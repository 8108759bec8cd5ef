#include "kernels/pointwise/interpreter.h"

#include <cmath>

#define GRAVITON_TARGET_INCLUDE "kernels/pointwise/interpreter-inl.h"
#include "simd/foreach_target.h"
