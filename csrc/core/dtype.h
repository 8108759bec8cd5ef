#ifndef GRAVITON_CORE_DTYPE_H_
#define GRAVITON_CORE_DTYPE_H_

#include <cstddef>
#include <cstdint>

namespace graviton {

// Wire numbers: keep in step with dtypes in src/ops/schema.ts. complex64 never reaches native code:
// tfjs holds it as two float32 tensors.
enum class DType : uint8_t {
  kFloat32 = 0,
  kInt32 = 1,
  kBool = 2,  // one byte, 0 or 1
  kBFloat16 = 3,
  kInt8 = 4,
  kUInt8 = 5,
};
inline constexpr int kDTypes = 6;

constexpr size_t SizeOf(DType dtype) {
  constexpr size_t kSizes[kDTypes] = {4, 4, 1, 2, 1, 1};
  return kSizes[static_cast<int>(dtype)];
}

constexpr const char* NameOf(DType dtype) {
  constexpr const char* kNames[kDTypes] = {"float32", "int32", "bool", "bfloat16", "int8", "uint8"};
  return kNames[static_cast<int>(dtype)];
}

}  // namespace graviton

#endif  // GRAVITON_CORE_DTYPE_H_
