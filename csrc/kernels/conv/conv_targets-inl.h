// All that Conv2D compiles per instruction-set level, together: both forms use the one register
// tile.
#include "kernels/conv/conv2d-inl.h"
#include "kernels/conv/winograd-inl.h"

namespace graviton::GRAVITON_NS {

extern const ConvKernels kConv;
const ConvKernels kConv = {
    .multiply = MultiplyConv, .winograd4 = MakeWinograd<4>(), .winograd2 = MakeWinograd<2>()};

}  // namespace graviton::GRAVITON_NS
