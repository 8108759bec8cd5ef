#ifndef GRAVITON_MEMORY_FAIL_ALLOCATION_H_
#define GRAVITON_MEMORY_FAIL_ALLOCATION_H_

#include <cstdint>

namespace graviton {

// For tests: the `nth` Allocate() from now (memory/allocate.h) fails, once, whoever calls it; 0:
// none does. Returns how many calls the failure that was asked for before was still away, 0 if it
// has happened.
int64_t FailAllocation(int64_t nth);

}  // namespace graviton

#endif  // GRAVITON_MEMORY_FAIL_ALLOCATION_H_
