#include "kernels/attention/attention.h"

#define GRAVITON_TARGET_INCLUDE "kernels/attention/attention-inl.h"
#include "simd/foreach_target.h"
