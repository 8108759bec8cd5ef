#include "kernels/gemm/gemm.h"

#if !defined(__aarch64__)
#define GRAVITON_TARGET_INCLUDE "kernels/gemm/gemm_int8-inl.h"
#include "simd/foreach_target.h"
#endif
