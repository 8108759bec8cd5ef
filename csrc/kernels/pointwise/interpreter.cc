#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include <cmath>

#include "kernels/pointwise/program.h"

#define GRAVITON_TARGET_INCLUDE "kernels/pointwise/interpreter-inl.h"
#include "simd/foreach_target.h"
