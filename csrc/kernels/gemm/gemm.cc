#include "kernels/gemm/gemm.h"

#define GRAVITON_TARGET_INCLUDE "kernels/gemm/gemm-inl.h"
#include "simd/foreach_target.h"
