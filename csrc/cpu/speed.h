#ifndef GRAVITON_CPU_SPEED_H_
#define GRAVITON_CPU_SPEED_H_

#include <cstddef>

#include "cpu/processor.h"

namespace graviton {

// What this machine reaches at most, measured now: what a report divides by. Each takes some tenths
// of a second and returns the best of many short runs, that is, what the machine does when nothing
// else runs.

// fp32 operations a second of all threads together; a multiply-add counts as two.
double MultiplyAddRate(Isa isa, size_t threads);

// Bytes a second that the threads together read, each over and over its share of a block of
// `bytes`; 0 where there is no memory for it.
double ReadRate(Isa isa, size_t threads, size_t bytes);

}  // namespace graviton

#endif  // GRAVITON_CPU_SPEED_H_
