#include "plan/plan.h"

#include <algorithm>
#include <cstring>

#include "plan/arena_layout.h"

namespace graviton {
namespace {

// Bound forms kept per plan: serving text of every length needs many, each is a few KiB.
constexpr size_t kBoundKept = 64;
constexpr size_t kStorageWords = 4;  // kind, dtype, index, elems
// Storages, steps, inputs, … of one plan. Laying out the arena takes quadratic time in the worst
// case: seconds for so many.
constexpr uint32_t kMost = 1u << 17;

template <class T>
T* NewObject() {
  void* memory = Allocate(sizeof(T));
  return memory == nullptr ? nullptr : new (memory) T;
}

bool SameSizes(List a, const Array<int32_t>& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
}

// Ops rely on operands that do not change under them (indices, once checked). Pointwise alone may
// write over what it reads: element by element, it steers no access.
Status CheckAliases(const StepWords& step) {
  constexpr const char* kMayAlias = PointwiseParams::kName;
  if (std::strcmp(step.op->name, kMayAlias) == 0) return {};
  for (size_t out = step.inputs; out < step.inputs + step.outputs; ++out) {
    for (size_t i = 0; i < out; ++i) {
      if (step.operand(i).slot != step.operand(out).slot || step.operand(i).slot == 0) continue;
      return Status::Error(Code::kInvalidStep, "%s writes over its own operand", step.op->name);
    }
  }
  return {};
}

template <class T>
[[nodiscard]] bool CopyInto(std::span<const T> from, Array<T>* to) {
  if (!to->Reserve(from.size())) return false;
  for (const T& value : from) to->Push(value);
  return true;
}

}  // namespace

void BoundPlan::Unref() {
  if (references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  this->~BoundPlan();
  Free(this, sizeof(BoundPlan));
}

Plan::~Plan() {
  for (BoundPlan* bound : bound_) bound->Unref();
}

void Plan::Unref() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  this->~Plan();
  Free(this, sizeof(Plan));
}

// Words: inputs, outputs, free sizes, storages, steps, relocations, terms, then the relocations
// (word, constant, terms), the terms (size, factor), the storages and the steps.
Status Plan::Make(List words, Array<BufferRef> constants, Plan** made) {
  const auto malformed = [](const char* what) {
    return Status::Error(Code::kInvalidStep, "a plan's words are malformed: %s", what);
  };
  WordReader reader(words);
  uint32_t inputs, outputs, free_sizes, storages, steps, relocations, terms;
  if (!reader.Read(&inputs) || !reader.Read(&outputs) || !reader.Read(&free_sizes) ||
      !reader.Read(&storages) || !reader.Read(&steps) || !reader.Read(&relocations) ||
      !reader.Read(&terms)) {
    return malformed("the header is cut short");
  }
  for (uint32_t count : {inputs, outputs, free_sizes, storages, steps, relocations, terms}) {
    if (count > kMost) return malformed("a count is too large");
  }
  void* memory = Allocate(sizeof(Plan));
  if (memory == nullptr) return Status::OutOfMemory(sizeof(Plan));
  auto* plan = new (memory) Plan;
  struct Owner {
    Plan* plan;
    ~Owner() {
      if (plan != nullptr) plan->Unref();
    }
  } owner{plan};
  plan->inputs_ = inputs;
  plan->outputs_ = outputs;
  plan->free_sizes_ = free_sizes;
  plan->storages_ = storages;
  plan->steps_ = steps;
  plan->constants_ = std::move(constants);
  uint32_t first_term = 0;
  for (uint32_t i = 0; i < relocations; ++i) {
    Relocation r = {.word = 0, .constant = 0, .first_term = first_term, .terms = 0};
    if (!reader.Read(&r.word) || !reader.Read(&r.constant) || !reader.Read(&r.terms) ||
        r.terms > terms - first_term) {
      return malformed("a size expression");
    }
    first_term += r.terms;
    if (!plan->relocations_.TryPush(r)) return Status::OutOfMemory(sizeof(r));
  }
  for (uint32_t i = 0; i < terms; ++i) {
    Term term;
    if (!reader.Read(&term.size) || !reader.Read(&term.factor) || term.size >= free_sizes) {
      return malformed("a size expression names an unknown size");
    }
    if (!plan->terms_.TryPush(term)) return Status::OutOfMemory(sizeof(term));
  }
  const size_t head = 7 + 3 * size_t{relocations} + 2 * size_t{terms};
  const List body = words.subspan(head);
  if (body.size() < kStorageWords * storages) return malformed("the storages are cut short");
  for (const Relocation& r : plan->relocations_) {
    if (r.word >= body.size()) return malformed("a size expression is for no word");
  }
  if (!CopyInto(body, &plan->words_)) return Status::OutOfMemory(body.size_bytes());
  owner.plan = nullptr;
  *made = plan;
  return {};
}

Status Plan::Evaluate(const Relocation& relocation, List sizes, int32_t* value) const {
  int64_t sum = relocation.constant;
  for (uint32_t i = 0; i < relocation.terms; ++i) {
    const Term& term = terms_[relocation.first_term + i];
    sum += int64_t{term.factor} * sizes[term.size];
  }
  if (sum < INT32_MIN || sum > INT32_MAX) {
    return Status::Error(Code::kShape, "a size of the plan comes to %lld, which is out of range",
                         static_cast<long long>(sum));
  }
  *value = static_cast<int32_t>(sum);
  return {};
}

Status Plan::Bind(List sizes, BoundPlan** result) {
  if (sizes.size() != free_sizes_) {
    return Status::Error(Code::kInvalidStep, "the plan has %u free sizes, not %zu", free_sizes_,
                         sizes.size());
  }
  for (size_t i = bound_.size(); i-- > 0;) {
    if (!SameSizes(sizes, bound_[i]->sizes)) continue;
    std::rotate(bound_.begin() + i, bound_.begin() + i + 1, bound_.end());  // most recent last
    bound_[bound_.size() - 1]->Ref();
    *result = bound_[bound_.size() - 1];
    return {};
  }
  BoundPlan* bound = NewObject<BoundPlan>();
  if (bound == nullptr) return Status::OutOfMemory(sizeof(BoundPlan));
  struct Owner {
    BoundPlan* bound;
    ~Owner() {
      if (bound != nullptr) bound->Unref();
    }
  } owner{bound};
  if (!CopyInto(sizes, &bound->sizes) ||
      !CopyInto(List(words_.begin(), words_.end()), &bound->words)) {
    return Status::OutOfMemory(words_.size() * sizeof(int32_t));
  }
  for (const Relocation& r : relocations_) {
    if (Status status = Evaluate(r, sizes, &bound->words[r.word]); !status.ok()) return status;
  }
  if (Status status = LayOut(bound); !status.ok()) return status;
  if (bound_.size() == kBoundKept) {
    bound_[0]->Unref();
    std::rotate(bound_.begin(), bound_.begin() + 1, bound_.end());
    bound_[bound_.size() - 1] = bound;
  } else if (!bound_.TryPush(bound)) {
    return Status::OutOfMemory(sizeof(bound));
  }
  owner.bound = nullptr;
  bound->Ref();
  *result = bound;
  return {};
}

Status Plan::LayOut(BoundPlan* bound) const {
  if (!bound->storages.Resize(storages_) || !bound->offsets.Resize(storages_)) {
    return Status::OutOfMemory(storages_ * sizeof(Storage));
  }
  Array<ArenaBlock> blocks;
  Array<uint32_t> owners;
  Array<bool> named;  // outputs, of which no two storages may share one: CheckAliases goes by slot
  if (!blocks.Resize(storages_) || !named.Resize(outputs_)) {
    return Status::OutOfMemory(storages_ * sizeof(ArenaBlock) + outputs_);
  }
  for (uint32_t i = 0; i < storages_; ++i) {
    const int32_t* words = bound->words.data() + kStorageWords * i;
    Storage& storage = bound->storages[i];
    const auto kind = static_cast<uint32_t>(words[0]);
    const auto dtype = static_cast<uint32_t>(words[1]);
    storage = {static_cast<StorageKind>(kind), static_cast<DType>(dtype),
               static_cast<uint32_t>(words[2]), static_cast<uint32_t>(words[3])};
    const uint32_t limit = kind == 1 ? inputs_ : kind == 2 ? outputs_ : constants_.size();
    if (kind > 3 || dtype >= kDTypes || words[3] < 0 || (kind != 0 && storage.index >= limit)) {
      return Status::Error(Code::kInvalidStep, "storage %u of a plan is malformed", i);
    }
    if (storage.kind == StorageKind::kOutput) {
      if (named[storage.index]) {
        return Status::Error(Code::kInvalidStep, "two storages of a plan are output %u",
                             storage.index);
      }
      named[storage.index] = true;
    }
    blocks[i] = {storage.elems * SizeOf(storage.dtype), UINT32_MAX, 0, 0};
  }
  List rest = List(bound->words.begin(), bound->words.end()).subspan(kStorageWords * storages_);
  for (uint32_t s = 0; s < steps_; ++s) {
    StepWords step;
    if (Status status = DecodeStep(rest, &step); !status.ok()) return status;
    if (Status status = CheckAliases(step); !status.ok()) return status;
    for (size_t i = 0; i < step.inputs + step.outputs; ++i) {
      const uint32_t slot = step.operand(i).slot;
      if (slot > storages_)
        return Status::Error(Code::kInvalidStep, "a step names storage %u", slot);
      if (slot == 0) continue;
      const bool writes = i >= step.inputs;
      const StorageKind kind = bound->storages[slot - 1].kind;
      if (writes && (kind == StorageKind::kConstant || kind == StorageKind::kInput)) {
        return Status::Error(Code::kInvalidStep, "step %u writes to a constant or an input", s);
      }
      ArenaBlock& block = blocks[slot - 1];
      if (!writes && kind == StorageKind::kArena && block.first == UINT32_MAX) {
        return Status::Error(Code::kInvalidStep, "step %u reads a storage that nothing has written",
                             s);
      }
      block.first = std::min(block.first, s);
      block.last = std::max(block.last, s);
    }
    rest = rest.subspan(step.words);
  }
  if (!rest.empty())
    return Status::Error(Code::kInvalidStep, "a plan has words beyond its last step");

  Array<ArenaBlock> arena;
  if (!arena.Reserve(storages_) || !owners.Reserve(storages_)) {
    return Status::OutOfMemory(storages_ * sizeof(ArenaBlock));
  }
  for (uint32_t i = 0; i < storages_; ++i) {
    if (bound->storages[i].kind != StorageKind::kArena || blocks[i].first == UINT32_MAX) continue;
    arena.Push(blocks[i]);
    owners.Push(i);
  }
  Status status =
      LayOutArena({arena.begin(), arena.end()}, &bound->arena_bytes, &bound->lower_bound_bytes);
  if (!status.ok()) return status;
  for (size_t i = 0; i < arena.size(); ++i) bound->offsets[owners[i]] = arena[i].offset;
  return {};
}

Status Plan::Run(const StepContext& context, const BoundPlan& bound,
                 std::span<const BufferRef> inputs, std::span<const BufferRef> outputs, void* arena,
                 EventLog* log, uint32_t number) const {
  const auto buffer_of = [&](const Storage& storage) -> Buffer* {
    switch (storage.kind) {
      case StorageKind::kInput:
        return inputs[storage.index].get();
      case StorageKind::kOutput:
        return outputs[storage.index].get();
      case StorageKind::kConstant:
        return constants_[storage.index].get();
      case StorageKind::kArena:
        return nullptr;
    }
    return nullptr;
  };
  for (const Storage& storage : bound.storages) {
    const Buffer* buffer = buffer_of(storage);
    if (buffer != nullptr &&
        (buffer->elems() < storage.elems || buffer->dtype() != storage.dtype)) {
      return Status::Error(
          Code::kShape, "a plan was given %zu elements of %s where it has %u of %s",
          buffer->elems(), NameOf(buffer->dtype()), storage.elems, NameOf(storage.dtype));
    }
  }
  List rest = List(bound.words.begin(), bound.words.end()).subspan(kStorageWords * storages_);
  for (uint32_t s = 0; s < steps_; ++s) {
    StepWords step;
    if (Status status = DecodeStep(rest, &step); !status.ok()) return status;
    Operand operands[kMaxInputs + kMaxOutputs];
    for (size_t i = 0; i < step.inputs + step.outputs; ++i) {
      const OperandWords words = step.operand(i);
      if (words.slot == 0) continue;
      const Storage& storage = bound.storages[words.slot - 1];
      Buffer* buffer = buffer_of(storage);
      void* data = buffer != nullptr ? buffer->data()
                                     : static_cast<char*>(arena) + bound.offsets[words.slot - 1];
      const size_t elems = buffer != nullptr ? buffer->elems() : storage.elems;
      Status status = MakeOperand(data, elems, storage.dtype, buffer, words.offset, &operands[i]);
      if (!status.ok()) return status;
    }
    const int64_t begin_ns = log != nullptr ? NowNs() : 0;
    Status status = step.op->run(context, step.params, {operands, step.inputs},
                                 {operands + step.inputs, step.outputs});
    if (!status.ok()) return status;
    if (log != nullptr) {
      log->Add({.op = static_cast<uint32_t>(step.op - kOps),
                .plan = number,
                .step = s,
                .lane = 0,
                .begin_ns = begin_ns,
                .end_ns = NowNs()});
    }
    rest = rest.subspan(step.words);
  }
  return {};
}

}  // namespace graviton
