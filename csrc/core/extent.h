#ifndef GRAVITON_CORE_EXTENT_H_
#define GRAVITON_CORE_EXTENT_H_

#include <cstdint>
#include <initializer_list>

namespace graviton {

// The product of sizes that arrived as words; false where it leaves int64. A factor of 0 gives 0
// whatever the others are.
inline bool ElemsOf(std::initializer_list<uint32_t> sizes, int64_t* elems) {
  int64_t product = 1;
  bool fits = true;
  for (const uint32_t size : sizes) {
    if (size == 0) {
      *elems = 0;
      return true;
    }
    fits = fits && !__builtin_mul_overflow(product, int64_t{size}, &product);
  }
  *elems = product;
  return fits;
}

}  // namespace graviton

#endif  // GRAVITON_CORE_EXTENT_H_
