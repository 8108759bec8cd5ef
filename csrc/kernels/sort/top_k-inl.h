#include "kernels/sort/top_k.h"
#include "simd/vector-inl.h"

namespace graviton::GRAVITON_NS {
namespace {

// The bits of a float order like its value once those of negative ones are flipped.
inline Vi KeysOf(Vf x) {
  const Vi bits = Bits(x);
  const Vi keys = x == 0.0f ? Vi{} : bits ^ ((bits >> 31) & 0x7fffffff);
  return x == x ? keys : Splat(INT32_MIN);
}
inline Vi KeysOf(Vi x) { return x; }

// Four vectors at a time: once the floor has risen, most blocks hold nothing above it.
constexpr size_t kBlockVectors = 4;
static_assert(kBlockVectors * kLanes <= kTopKLeastRoom);

inline bool AnyOf(Vi mask) {
  int64_t words[sizeof(Vi) / sizeof(int64_t)];
  std::memcpy(words, &mask, sizeof(mask));
  int64_t any = 0;
  for (const int64_t word : words) any |= word;
  return any != 0;
}

template <class E>
TopKScan Above(const void* data, size_t begin, size_t end, TopKFloor floor, Candidate* found,
               size_t room) {
  constexpr size_t kBlock = kBlockVectors * kLanes;
  const auto* x = static_cast<const E*>(data);
  size_t count = 0;
  size_t i = begin;
  while (i < end && count + kBlock <= room) {
    Vi keys[kBlockVectors];
    size_t n = kBlock;
    if (end - i >= kBlock) {
      for (size_t j = 0; j < kBlockVectors; ++j) keys[j] = KeysOf(Load(x + i + j * kLanes));
    } else {
      n = end - i;
      E rest[kBlock] = {};
      std::memcpy(rest, x + i, n * sizeof(E));
      for (size_t j = 0; j < kBlockVectors; ++j) keys[j] = KeysOf(Load(rest + j * kLanes));
    }
    Vi any{};
    for (const Vi& v : keys) any |= v > floor.key;
    if (!floor.set || AnyOf(any)) {
      int32_t lanes[kBlock];
      std::memcpy(lanes, keys, sizeof(lanes));
      for (size_t j = 0; j < n; ++j) {
        found[count] = CandidateOf(lanes[j], static_cast<uint32_t>(i + j));
        count += !floor.set || lanes[j] > floor.key ? 1 : 0;
      }
    }
    i += n;
  }
  return {i, count};
}

}  // namespace

const TopKKernels kTopK = {Above<float>, Above<int32_t>};

}  // namespace graviton::GRAVITON_NS
