#include "kernels/movement/transpose.h"

#include <cstring>

#define GRAVITON_TARGET_INCLUDE "kernels/movement/transpose-inl.h"
#include "simd/foreach_target.h"
