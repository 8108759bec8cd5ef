#ifndef GRAVITON_PLAN_PLAN_H_
#define GRAVITON_PLAN_PLAN_H_

#include <atomic>
#include <cstdint>
#include <span>

#include "core/ops.gen.h"
#include "memory/array.h"
#include "memory/buffer.h"
#include "plan/event_log.h"
#include "plan/step_decoder.h"

namespace graviton {

// Where a storage's bytes come from when the plan runs. Wire numbers: src/compile/plan-words.ts.
enum class StorageKind : uint32_t { kArena = 0, kInput = 1, kOutput = 2, kConstant = 3 };

struct Storage {
  StorageKind kind;
  DType dtype;
  uint32_t index;  // which input, output or constant
  uint32_t elems;  // from the plan's words, after sizes are filled in
};

// A plan for given values of the free sizes: final words, storages and arena layout.
// Reference-counted, since a call that runs on another thread may outlive its place in the cache.
struct BoundPlan {
  void Ref() { references.fetch_add(1, std::memory_order_relaxed); }
  void Unref();

  std::atomic<uint32_t> references{1};
  Array<int32_t> sizes;  // the key
  Array<int32_t> words;
  Array<Storage> storages;
  Array<size_t> offsets;  // into the arena, by storage
  size_t arena_bytes = 0;
  size_t lower_bound_bytes = 0;  // largest live set
};

// An immutable program of steps. Its sizes are linear expressions in free sizes, so one plan can
// serve many shapes: Bind evaluates them. Reference-counted: a running call outlives dispose.
class Plan {
 public:
  // `words`: see src/compile/plan-words.ts, which writes them. `constants`: the buffers that
  // constant storages name, in order; the plan takes them.
  static Status Make(List words, Array<BufferRef> constants, Plan** plan);
  void Ref() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Unref();

  size_t inputs() const { return inputs_; }
  size_t outputs() const { return outputs_; }
  size_t free_sizes() const { return free_sizes_; }

  // The bound form for these sizes; kept for the next call. JavaScript's thread only. The caller
  // owns one reference.
  Status Bind(List sizes, BoundPlan** bound);

  // Runs all steps. Inputs and outputs are whole buffers, in the plan's order and of the bound
  // sizes (checked here); `arena` holds bound.arena_bytes. Steps are logged under the plan's
  // `number` where there is a log. Any thread.
  Status Run(const StepContext& context, const BoundPlan& bound, std::span<const BufferRef> inputs,
             std::span<const BufferRef> outputs, void* arena, EventLog* log, uint32_t number) const;

 private:
  Plan() = default;
  ~Plan();

  struct Term {
    uint32_t size;
    int32_t factor;
  };
  struct Relocation {
    uint32_t word;
    int32_t constant;
    uint32_t first_term;
    uint32_t terms;
  };
  Status Evaluate(const Relocation& relocation, List sizes, int32_t* value) const;
  Status LayOut(BoundPlan* bound) const;

  std::atomic<uint32_t> references_{1};
  uint32_t inputs_ = 0;
  uint32_t outputs_ = 0;
  uint32_t free_sizes_ = 0;
  uint32_t storages_ = 0;
  uint32_t steps_ = 0;
  Array<int32_t> words_;  // storages, then steps
  Array<Relocation> relocations_;
  Array<Term> terms_;
  Array<BufferRef> constants_;
  Array<BoundPlan*> bound_;
};

}  // namespace graviton

#endif  // GRAVITON_PLAN_PLAN_H_
