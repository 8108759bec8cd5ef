#include "kernels/gemm/gemm.h"

#define GRAVITON_TARGET_INCLUDE "kernels/gemm/gemm_tiles-inl.h"
#include "simd/foreach_target_tiles.h"
