#ifndef GRAVITON_PLAN_RUNTIME_H_
#define GRAVITON_PLAN_RUNTIME_H_

#include <span>

#include "memory/array.h"
#include "memory/buffer.h"
#include "memory/scratch.h"
#include "plan/event_log.h"
#include "plan/plan.h"

namespace graviton {

// A block that grows; holds the temporaries of one running plan.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();
  Status Reserve(size_t bytes);
  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

// What one running plan needs beside its operands; kept for the next.
struct Workspace {
  Arena arena;
  Scratch scratch;
  bool busy = false;
};

// One call of a plan from preparation to result: everything it needs, so that it may run on any
// thread while JavaScript goes on. Holds references to what it reads and writes, and a workspace
// until it is finished or destroyed, both on JavaScript's thread.
struct PlanCall {
  Plan* plan = nullptr;
  uint32_t number = 0;  // of the plan, for the log
  BoundPlan* bound = nullptr;
  Array<BufferRef> inputs;
  Array<BufferRef> outputs;
  Array<uint32_t> output_slots;
  Workspace* workspace = nullptr;
  Isa isa;
  size_t threads = 1;
  EventLog* log = nullptr;

  PlanCall() = default;
  PlanCall(const PlanCall&) = delete;
  PlanCall& operator=(const PlanCall&) = delete;
  ~PlanCall();
  Status Run();
  void GiveWorkspaceBack();
};

// All native state of one JavaScript environment: tensors by slot, plans, arenas, settings. Only
// its own thread calls it.
class Runtime {
 public:
  Runtime();
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Eager: words are output count, (slot, dtype, elems) each, then one step over slots. Allocates
  // the outputs and runs the step; on failure the outputs are free again.
  Status RunStep(List words);

  // Tensors. Slots are numbers that JavaScript chooses, from 1.
  Status Store(uint32_t slot, DType dtype, const void* data, size_t elems);
  Status Write(uint32_t slot, size_t at, const void* data, size_t bytes);  // from byte `at` on
  Status New(uint32_t slot, DType dtype, size_t elems, Buffer** buffer);
  Buffer* At(uint32_t slot) const;  // null: nothing there
  void Release(uint32_t slot);
  Status Share(uint32_t slot, uint32_t from);
  size_t tensors() const { return tensors_; }
  // Bytes of the buffers that slots name, each slot counted.
  size_t tensor_bytes() const { return tensor_bytes_; }

  // Plans by number, from 1.
  Status MakePlan(List words, List constant_slots, uint32_t* plan);
  void DropPlan(uint32_t plan);
  // Words: plan, inputs (count, slots), outputs (count, slots, each with dtype and elems), sizes
  // (count, values). Fills `call`, ready to Run.
  Status Prepare(List words, PlanCall* call);
  // Gives the outputs of a call that ran to their slots, and its workspace back.
  Status Finish(PlanCall* call);
  Status RunPlan(List words);

  // Settings.
  Isa isa;
  size_t threads;
  EventLog log;
  bool logging = false;
  size_t arena_bytes() const;
  void FreeArenas();

 private:
  Plan* PlanAt(uint32_t plan) const;
  Status TakeWorkspace(size_t arena_bytes, Workspace** workspace);

  Array<BufferRef> slots_;
  size_t tensors_ = 0;
  size_t tensor_bytes_ = 0;
  Array<Plan*> plans_;
  Scratch scratch_;
  Array<Workspace*> workspaces_;
};

}  // namespace graviton

#endif  // GRAVITON_PLAN_RUNTIME_H_
