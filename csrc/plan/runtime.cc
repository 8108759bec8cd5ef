#include "plan/runtime.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace graviton {
namespace {

constexpr uint32_t kMaxSlots = 1u << 24;

}  // namespace

Arena::~Arena() { Free(data_, bytes_); }

Status Arena::Reserve(size_t bytes) {
  // Where all values are empty, the arena has an address too: an operand without one counts as not
  // given.
  if (data_ != nullptr && bytes <= bytes_) return {};
  Free(data_, bytes_);
  data_ = Allocate(bytes);
  bytes_ = data_ == nullptr ? 0 : bytes;
  return data_ == nullptr ? Status::OutOfMemory(bytes) : Status();
}

PlanCall::~PlanCall() {
  GiveWorkspaceBack();
  if (bound != nullptr) bound->Unref();
  if (plan != nullptr) plan->Unref();
}

void PlanCall::GiveWorkspaceBack() {
  if (workspace != nullptr) workspace->busy = false;
  workspace = nullptr;
}

Status PlanCall::Run() {
  const StepContext context = {ThreadPool::Get(), workspace->scratch, isa, threads};
  return plan->Run(context, *bound, {inputs.data(), inputs.size()},
                   {outputs.data(), outputs.size()}, workspace->arena.data(), log, number);
}

Runtime::Runtime() : isa(ThisProcessor().isa), threads(ThisProcessor().cpus) {}

Runtime::~Runtime() {
  for (Plan* plan : plans_) {
    if (plan != nullptr) plan->Unref();
  }
  FreeArenas();
}

Buffer* Runtime::At(uint32_t slot) const {
  return slot < slots_.size() ? slots_[slot].get() : nullptr;
}

Status Runtime::New(uint32_t slot, DType dtype, size_t elems, Buffer** buffer) {
  if (slot == 0 || slot >= kMaxSlots) {
    return Status::Error(Code::kInvalidStep, "there is no slot %u", slot);
  }
  if (slot >= slots_.size() && !slots_.Resize(slot + 1)) return Status::OutOfMemory(slot);
  if (Buffer* left = slots_[slot].get(); left != nullptr && left->Renew(dtype, elems)) {
    if (buffer != nullptr) *buffer = left;
    return {};
  }
  Buffer* made = Buffer::New(dtype, elems);
  if (made == nullptr) return Status::OutOfMemory(elems * SizeOf(dtype));
  Release(slot);
  slots_[slot] = BufferRef(made);
  ++tensors_;
  tensor_bytes_ += made->bytes();
  if (buffer != nullptr) *buffer = made;
  return {};
}

Status Runtime::Store(uint32_t slot, DType dtype, const void* data, size_t elems) {
  Buffer* buffer = nullptr;
  if (Status status = New(slot, dtype, elems, &buffer); !status.ok()) return status;
  if (elems > 0) std::memcpy(buffer->data(), data, buffer->bytes());
  return {};
}

Status Runtime::Write(uint32_t slot, size_t at, const void* data, size_t bytes) {
  Buffer* buffer = At(slot);
  if (buffer == nullptr || at > buffer->bytes() || bytes > buffer->bytes() - at) {
    return Status::Error(Code::kInvalidStep, "slot %u has no %zu bytes from byte %zu on", slot,
                         bytes, at);
  }
  if (bytes > 0) std::memcpy(static_cast<char*>(buffer->data()) + at, data, bytes);
  return {};
}

void Runtime::Release(uint32_t slot) {
  if (At(slot) == nullptr) return;
  --tensors_;
  tensor_bytes_ -= slots_[slot]->bytes();
  slots_[slot].Reset();
}

Status Runtime::Share(uint32_t slot, uint32_t from) {
  Buffer* buffer = At(from);
  if (buffer == nullptr || slot == 0 || slot >= kMaxSlots) {
    return Status::Error(Code::kInvalidStep, "slot %u cannot share slot %u", slot, from);
  }
  if (slot >= slots_.size() && !slots_.Resize(slot + 1)) return Status::OutOfMemory(slot);
  BufferRef shared = BufferRef::Share(buffer);
  Release(slot);
  slots_[slot] = std::move(shared);
  ++tensors_;
  tensor_bytes_ += buffer->bytes();
  return {};
}

Status Runtime::RunStep(List words) {
  WordReader reader(words);
  uint32_t outputs;
  if (!reader.Read(&outputs) || outputs > kMaxOutputs) {
    return Status::Error(Code::kInvalidStep, "a command is cut short");
  }
  uint32_t made[kMaxOutputs];
  uint32_t made_count = 0;
  Status status;
  for (uint32_t i = 0; i < outputs && status.ok(); ++i) {
    uint32_t slot, dtype, elems;
    if (!reader.Read(&slot) || !reader.Read(&dtype) || !reader.Read(&elems) || dtype >= kDTypes) {
      status = Status::Error(Code::kInvalidStep, "a command's outputs are malformed");
      break;
    }
    status = New(slot, static_cast<DType>(dtype), elems, nullptr);
    if (status.ok()) made[made_count++] = slot;
  }
  StepWords step;
  if (status.ok()) status = DecodeStep(words.subspan(1 + 3 * size_t{outputs}), &step);
  // Only those that the step has are made: zeroing all 72 took a quarter of a small step.
  alignas(Operand) char storage[sizeof(Operand) * (kMaxInputs + kMaxOutputs)];
  auto* operands = reinterpret_cast<Operand*>(storage);
  for (size_t i = 0; status.ok() && i < step.inputs + step.outputs; ++i) {
    new (&operands[i]) Operand;
    const OperandWords operand = step.operand(i);
    if (operand.slot == 0) continue;
    Buffer* buffer = At(operand.slot);
    // A step writes to what it makes and to nothing else, and reads none of it: ops rely on
    // operands that do not change under them (indices, once checked).
    const bool is_made = std::find(made, made + made_count, operand.slot) != made + made_count;
    if (is_made != (i >= step.inputs)) {
      status = Status::Error(Code::kInvalidStep, "%s: slot %u is %s", step.op->name, operand.slot,
                             is_made ? "its result and its input" : "not its result");
    } else if (buffer == nullptr) {
      status = Status::Error(Code::kInvalidStep, "%s: slot %u holds no tensor", step.op->name,
                             operand.slot);
    } else {
      status = MakeOperand(buffer->data(), buffer->elems(), buffer->dtype(), buffer, operand.offset,
                           &operands[i]);
    }
  }
  if (status.ok()) {
    const int64_t begin_ns = logging ? NowNs() : 0;
    const StepContext context = {ThreadPool::Get(), scratch_, isa, threads};
    status = step.op->run(context, step.params, {operands, step.inputs},
                          {operands + step.inputs, step.outputs});
    if (logging) {
      log.Add({.op = static_cast<uint32_t>(step.op - kOps),
               .plan = 0,
               .step = 0,
               .lane = 0,
               .begin_ns = begin_ns,
               .end_ns = NowNs()});
    }
  }
  if (!status.ok()) {
    for (uint32_t i = 0; i < made_count; ++i) Release(made[i]);
  }
  return status;
}

Plan* Runtime::PlanAt(uint32_t plan) const {
  return plan > 0 && plan <= plans_.size() ? plans_[plan - 1] : nullptr;
}

Status Runtime::MakePlan(List words, List constant_slots, uint32_t* number) {
  Array<BufferRef> constants;
  if (!constants.Reserve(constant_slots.size())) return Status::OutOfMemory(constant_slots.size());
  for (int32_t slot : constant_slots) {
    Buffer* buffer = At(static_cast<uint32_t>(slot));
    if (buffer == nullptr) {
      return Status::Error(Code::kInvalidStep, "a plan's constant, slot %d, holds no tensor", slot);
    }
    constants.Push(BufferRef::Share(buffer));
  }
  Plan* plan;
  if (Status status = Plan::Make(words, std::move(constants), &plan); !status.ok()) return status;
  for (uint32_t i = 0; i < plans_.size(); ++i) {
    if (plans_[i] != nullptr) continue;
    plans_[i] = plan;
    *number = i + 1;
    return {};
  }
  if (!plans_.TryPush(plan)) {
    plan->Unref();
    return Status::OutOfMemory(sizeof(plan));
  }
  *number = static_cast<uint32_t>(plans_.size());
  return {};
}

void Runtime::DropPlan(uint32_t number) {
  if (PlanAt(number) == nullptr) return;
  plans_[number - 1]->Unref();
  plans_[number - 1] = nullptr;
}

Status Runtime::TakeWorkspace(size_t arena_bytes, Workspace** result) {
  Workspace* taken = nullptr;
  for (Workspace* workspace : workspaces_) {
    if (workspace->busy) continue;
    // The largest that is free: arenas then grow towards one size instead of many.
    if (taken == nullptr || workspace->arena.bytes() > taken->arena.bytes()) taken = workspace;
  }
  if (taken == nullptr) {
    void* memory = Allocate(sizeof(Workspace));
    if (memory == nullptr) return Status::OutOfMemory(sizeof(Workspace));
    taken = new (memory) Workspace;
    if (!workspaces_.TryPush(taken)) {
      taken->~Workspace();
      Free(taken, sizeof(Workspace));
      return Status::OutOfMemory(sizeof(Workspace));
    }
  }
  if (Status status = taken->arena.Reserve(arena_bytes); !status.ok()) return status;
  taken->busy = true;
  *result = taken;
  return {};
}

void Runtime::FreeArenas() {
  size_t kept = 0;
  for (Workspace* workspace : workspaces_) {
    if (workspace->busy) {
      workspaces_[kept++] = workspace;
      continue;
    }
    workspace->~Workspace();
    Free(workspace, sizeof(Workspace));
  }
  (void)workspaces_.Resize(kept);  // shrinking cannot fail
  FreeUnusedBlocks();
}

size_t Runtime::arena_bytes() const {
  size_t bytes = 0;
  for (const Workspace* workspace : workspaces_) {
    bytes += workspace->arena.bytes() + workspace->scratch.bytes();
  }
  return bytes;
}

Status Runtime::Prepare(List words, PlanCall* call) {
  const auto malformed = [] {
    return Status::Error(Code::kInvalidStep, "a plan's call is malformed");
  };
  WordReader reader(words);
  uint32_t number, inputs, outputs, slot;
  if (!reader.Read(&number) || !reader.Read(&inputs)) return malformed();
  Plan* plan = PlanAt(number);
  if (plan == nullptr)
    return Status::Error(Code::kInvalidStep, "there is no plan number %u", number);
  if (inputs != plan->inputs()) return malformed();
  plan->Ref();
  call->plan = plan;
  call->number = number;
  if (!call->inputs.Reserve(inputs)) return Status::OutOfMemory(inputs);
  for (uint32_t i = 0; i < inputs; ++i) {
    if (!reader.Read(&slot)) return malformed();
    Buffer* buffer = At(slot);
    if (buffer == nullptr) return Status::Error(Code::kInvalidStep, "input %u holds no tensor", i);
    call->inputs.Push(BufferRef::Share(buffer));
  }
  if (!reader.Read(&outputs) || outputs != plan->outputs()) return malformed();
  if (!call->outputs.Reserve(outputs) || !call->output_slots.Reserve(outputs)) {
    return Status::OutOfMemory(outputs);
  }
  for (uint32_t i = 0; i < outputs; ++i) {
    uint32_t dtype, elems;
    if (!reader.Read(&slot) || !reader.Read(&dtype) || !reader.Read(&elems) || dtype >= kDTypes) {
      return malformed();
    }
    BufferRef buffer(Buffer::New(static_cast<DType>(dtype), elems));
    if (!buffer) return Status::OutOfMemory(elems * SizeOf(static_cast<DType>(dtype)));
    call->outputs.Push(std::move(buffer));
    call->output_slots.Push(slot);
  }
  List sizes;
  if (!reader.Read(&sizes)) return malformed();
  if (Status status = plan->Bind(sizes, &call->bound); !status.ok()) return status;
  Status status = TakeWorkspace(call->bound->arena_bytes, &call->workspace);
  if (!status.ok()) return status;
  call->isa = isa;
  call->threads = threads;
  call->log = logging ? &log : nullptr;
  return {};
}

Status Runtime::Finish(PlanCall* call) {
  call->GiveWorkspaceBack();
  for (const uint32_t slot : call->output_slots) {
    if (slot == 0 || slot >= kMaxSlots) {
      return Status::Error(Code::kInvalidStep, "there is no slot %u", slot);
    }
    if (slot >= slots_.size() && !slots_.Resize(slot + 1)) return Status::OutOfMemory(slot);
  }
  for (size_t i = 0; i < call->outputs.size(); ++i) {
    const uint32_t slot = call->output_slots[i];
    Release(slot);
    ++tensors_;
    tensor_bytes_ += call->outputs[i]->bytes();
    slots_[slot] = std::move(call->outputs[i]);
  }
  return {};
}

Status Runtime::RunPlan(List words) {
  PlanCall call;
  if (Status status = Prepare(words, &call); !status.ok()) return status;
  if (Status status = call.Run(); !status.ok()) return status;
  return Finish(&call);
}

}  // namespace graviton
