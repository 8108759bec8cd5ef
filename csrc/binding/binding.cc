// The N-API surface. No logic: arguments are checked, the runtime does the work and a Status
// becomes a number that JavaScript turns into a GravitonError. src/native.ts is the only caller.
#include <napi.h>

#include <algorithm>
#include <cstring>

#include "binding/environment.h"
#include "cpu/processor.h"
#include "cpu/speed.h"
#include "kernels/gemm/pack.h"
#include "memory/allocate.h"
#include "memory/block_cache.h"
#include "memory/fail_allocation.h"
#include "plan/runtime.h"

namespace graviton {
namespace {

// More parts than any machine has processors; bounds what steps reserve per part.
constexpr uint32_t kMostThreads = 1024;

Environment& EnvironmentOf(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Environment*>(data);
}

Runtime& RuntimeOf(const Napi::CallbackInfo& info) { return EnvironmentOf(info.Env()).runtime(); }

// The hot calls take no arguments: their words are in the shared buffer, and the result is a code.
template <Status (Runtime::*Method)(List)>
napi_value RunWords(napi_env env, napi_callback_info) {
  Environment& environment = EnvironmentOf(env);
  const int code = environment.Keep((environment.runtime().*Method)(environment.words()));
  if (code == 0) return nullptr;  // undefined: the common case makes no value
  return Napi::Number::New(env, code);
}

// The elements of a typed array of `type`; false for anything else. N-API's own accessor, since
// node-addon-api's neither checks the type nor takes an array over shared memory.
bool ElementsOf(const Napi::Value& value, napi_typedarray_type* type, void** data, size_t* elems) {
  return value.IsTypedArray() && napi_get_typedarray_info(value.Env(), value, type, elems, data,
                                                          nullptr, nullptr) == napi_ok;
}

size_t BytesPerElement(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return 1;
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      return 8;
    default:  // a type of a later Node: nothing of it is read
      return 0;
  }
}

bool ListOf(const Napi::Value& value, List* list) {
  napi_typedarray_type type;
  void* data;
  size_t elems;
  if (!ElementsOf(value, &type, &data, &elems) || type != napi_int32_array) return false;
  *list = {static_cast<const int32_t*>(data), elems};
  return true;
}

// attach(words): the Int32Array that JavaScript writes commands into from now on.
Napi::Value Attach(const Napi::CallbackInfo& info) {
  List words;
  if (ListOf(info[0], &words)) EnvironmentOf(info.Env()).Attach(info[0].As<Napi::Object>(), words);
  return info.Env().Undefined();
}

uint32_t U32(const Napi::CallbackInfo& info, size_t i) {
  return info[i].IsNumber() ? info[i].As<Napi::Number>().Uint32Value() : 0;
}

Napi::Value Code(const Napi::CallbackInfo& info, Status status) {
  return Napi::Number::New(info.Env(), EnvironmentOf(info.Env()).Keep(std::move(status)));
}

// Beyond what any buffer holds, and exact in a double.
constexpr double kMostElems = 1ULL << 52;

// store(slot, dtype, typedArray): copies the array's bytes into a new buffer.
Napi::Value Store(const Napi::CallbackInfo& info) {
  const uint32_t dtype = U32(info, 1);
  napi_typedarray_type type;
  void* data;
  size_t elems;
  if (!ElementsOf(info[2], &type, &data, &elems) || dtype >= kDTypes) {
    return Code(info,
                Status::Error(Code::kInvalidStep, "store takes a slot, a type and a typed array"));
  }
  const size_t bytes = elems * BytesPerElement(type);
  return Code(info, RuntimeOf(info).Store(U32(info, 0), static_cast<DType>(dtype), data,
                                          bytes / SizeOf(static_cast<DType>(dtype))));
}

// reserve(slot, dtype, elems): a new buffer, whose bytes write() gives.
Napi::Value Reserve(const Napi::CallbackInfo& info) {
  const uint32_t dtype = U32(info, 1);
  const double elems = info[2].IsNumber() ? info[2].As<Napi::Number>().DoubleValue() : -1;
  if (dtype >= kDTypes || !(elems >= 0 && elems < kMostElems)) {
    return Code(info,
                Status::Error(Code::kInvalidStep, "reserve takes a slot, a type and a number"));
  }
  return Code(info, RuntimeOf(info).New(U32(info, 0), static_cast<DType>(dtype),
                                        static_cast<size_t>(elems), nullptr));
}

// write(slot, at, typedArray): copies the array's bytes into the buffer, from its byte `at` on.
Napi::Value Write(const Napi::CallbackInfo& info) {
  napi_typedarray_type type;
  void* data;
  size_t elems;
  const double at = info[1].IsNumber() ? info[1].As<Napi::Number>().DoubleValue() : -1;
  if (!ElementsOf(info[2], &type, &data, &elems) || !(at >= 0 && at < kMostElems)) {
    return Code(info,
                Status::Error(Code::kInvalidStep, "write takes a slot, a place and a typed array"));
  }
  return Code(info, RuntimeOf(info).Write(U32(info, 0), static_cast<size_t>(at), data,
                                          elems * BytesPerElement(type)));
}

// read(slot): a new ArrayBuffer with a copy of the tensor's bytes; undefined where there is none.
Napi::Value Read(const Napi::CallbackInfo& info) {
  const Buffer* buffer = RuntimeOf(info).At(U32(info, 0));
  if (buffer == nullptr) return info.Env().Undefined();
  Napi::ArrayBuffer copy = Napi::ArrayBuffer::New(info.Env(), buffer->bytes());
  if (copy.IsEmpty()) return info.Env().Undefined();
  if (buffer->bytes() > 0) std::memcpy(copy.Data(), buffer->data(), buffer->bytes());
  return copy;
}

Napi::Value Release(const Napi::CallbackInfo& info) {
  RuntimeOf(info).Release(U32(info, 0));
  return info.Env().Undefined();
}

Napi::Value Share(const Napi::CallbackInfo& info) {
  return Code(info, RuntimeOf(info).Share(U32(info, 0), U32(info, 1)));
}

// makePlan(words, constantSlots): the plan's number, or the negative of an error code.
Napi::Value MakePlan(const Napi::CallbackInfo& info) {
  uint32_t plan = 0;
  List words, slots;
  Status status = ListOf(info[0], &words) && ListOf(info[1], &slots)
                      ? RuntimeOf(info).MakePlan(words, slots, &plan)
                      : Status::Error(Code::kInvalidStep, "makePlan takes two arrays of int32");
  const int code = EnvironmentOf(info.Env()).Keep(std::move(status));
  return Napi::Number::New(info.Env(), code == 0 ? static_cast<double>(plan) : -code);
}

Napi::Value DropPlan(const Napi::CallbackInfo& info) {
  RuntimeOf(info).DropPlan(U32(info, 0));
  return info.Env().Undefined();
}

Napi::Value LastError(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), EnvironmentOf(info.Env()).last().message());
}

// packedElems(layout, rowsK, colsN, taps): elements of the buffer that PackWeights fills; 0 where
// there is no such layout.
Napi::Value PackedElems(const Napi::CallbackInfo& info) {
  return Napi::Number::New(
      info.Env(), static_cast<double>(PackedElemsOf(RuntimeOf(info).isa, U32(info, 0), U32(info, 1),
                                                    U32(info, 2), U32(info, 3))));
}

// gainsBySplitting(rows, depth, cols): whether such a product of floats is made in a matrix unit.
Napi::Value GainsBySplittingOf(const Napi::CallbackInfo& info) {
  const Isa isa = RuntimeOf(info).isa;
  return Napi::Boolean::New(info.Env(),
                            GainsBySplitting(isa, U32(info, 0), U32(info, 1), U32(info, 2)));
}

// configure(isa or -1, threads or 0, logging): what is not given stays.
Napi::Value Configure(const Napi::CallbackInfo& info) {
  Runtime& runtime = RuntimeOf(info);
  const int isa = info[0].IsNumber() ? info[0].As<Napi::Number>().Int32Value() : -1;
  if (isa >= 0 && isa <= static_cast<int>(ThisProcessor().isa)) runtime.isa = static_cast<Isa>(isa);
  if (U32(info, 1) > 0) runtime.threads = std::min(U32(info, 1), kMostThreads);
  if (info[2].IsBoolean()) runtime.logging = info[2].As<Napi::Boolean>();
  return info.Env().Undefined();
}

// takeEvents(): how many events did not fit, then (op, plan, step, lane, begin ns, end ns) each,
// since the log was last taken.
Napi::Value TakeEvents(const Napi::CallbackInfo& info) {
  EventLog& log = RuntimeOf(info).log;
  const size_t count = log.events().size();
  Napi::Float64Array taken = Napi::Float64Array::New(info.Env(), 1 + 6 * count);
  if (taken.IsEmpty()) return info.Env().Undefined();
  double* to = taken.Data();
  *to++ = static_cast<double>(log.dropped());
  for (const StepEvent& event : log.events()) {
    *to++ = event.op;
    *to++ = event.plan;
    *to++ = event.step;
    *to++ = event.lane;
    *to++ = static_cast<double>(event.begin_ns);
    *to++ = static_cast<double>(event.end_ns);
  }
  log.Clear();
  return taken;
}

Napi::Value Stats(const Napi::CallbackInfo& info) {
  const Runtime& runtime = RuntimeOf(info);
  Napi::Object stats = Napi::Object::New(info.Env());
  stats["tensors"] = static_cast<double>(runtime.tensors());
  stats["tensorBytes"] = static_cast<double>(runtime.tensor_bytes());
  stats["arenaBytes"] = static_cast<double>(runtime.arena_bytes());
  stats["allocatedBytes"] = static_cast<double>(AllocatedBytes());
  stats["peakBytes"] = static_cast<double>(PeakBytes());
  stats["cachedBytes"] = static_cast<double>(CachedBytes());
  return stats;
}

// runPlanAsync(callback): see AsyncCalls::Start; a code other than 0 is the failure to start.
Napi::Value RunPlanAsync(const Napi::CallbackInfo& info) {
  Status status = info[0].IsFunction()
                      ? EnvironmentOf(info.Env()).async_calls().Start(info.Env(), info[0])
                      : Status::Error(Code::kInvalidStep, "runPlanAsync takes a callback");
  return Code(info, std::move(status));
}

Napi::Value FreeArenas(const Napi::CallbackInfo& info) {
  RuntimeOf(info).FreeArenas();
  return info.Env().Undefined();
}

Napi::Value SetHugePagesOf(const Napi::CallbackInfo& info) {
  if (info[0].IsBoolean()) SetHugePages(info[0].As<Napi::Boolean>());
  return info.Env().Undefined();
}

// The sizes that a report asks for; more would block JavaScript for long.
constexpr uint32_t kMostMeasuredThreads = 1024;
constexpr uint32_t kMostMeasuredBytes = uint32_t{1} << 30;

// multiplyAddRate(threads): fp32 operations a second at the level in use; 0 where an argument is
// out of range.
Napi::Value MultiplyAddRateOf(const Napi::CallbackInfo& info) {
  const uint32_t threads = U32(info, 0);
  const bool fits = threads > 0 && threads <= kMostMeasuredThreads;
  return Napi::Number::New(info.Env(), fits ? MultiplyAddRate(RuntimeOf(info).isa, threads) : 0);
}

// readRate(threads, bytes): bytes read a second, likewise.
Napi::Value ReadRateOf(const Napi::CallbackInfo& info) {
  const uint32_t threads = U32(info, 0);
  const uint32_t bytes = U32(info, 1);
  const bool fits =
      threads > 0 && threads <= kMostMeasuredThreads && bytes > 0 && bytes <= kMostMeasuredBytes;
  return Napi::Number::New(info.Env(), fits ? ReadRate(RuntimeOf(info).isa, threads, bytes) : 0);
}

// failAllocation(nth): for tests; see memory/fail_allocation.h.
Napi::Value FailAllocationOf(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(FailAllocation(U32(info, 0))));
}

Napi::Object Info(Napi::Env env) {
  const Processor& processor = ThisProcessor();
  Napi::Object object = Napi::Object::New(env);
  object["opTableHash"] = static_cast<double>(kOpTableHash);
  object["isa"] = static_cast<int>(processor.isa);
  object["cpus"] = static_cast<double>(processor.cpus);
  object["l1dBytes"] = static_cast<double>(processor.l1d_bytes);
  object["l2Bytes"] = static_cast<double>(processor.l2_bytes);
  object["l3Bytes"] = static_cast<double>(processor.l3_bytes);
  Napi::Array names = Napi::Array::New(env, kIsas);
  for (int i = 0; i < kIsas; ++i) names[i] = NameOf(static_cast<Isa>(i));
  object["isaNames"] = names;
  return object;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  if (!Environment::Install(env)) return exports;
  const auto raw = [&](const char* name, napi_callback callback) {
    napi_value function = nullptr;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function) ==
        napi_ok) {
      napi_set_named_property(env, exports, name, function);
    }
  };
  raw("runStep", RunWords<&Runtime::RunStep>);
  raw("runPlan", RunWords<&Runtime::RunPlan>);
  exports["attach"] = Napi::Function::New(env, Attach);
  exports["store"] = Napi::Function::New(env, Store);
  exports["reserve"] = Napi::Function::New(env, Reserve);
  exports["write"] = Napi::Function::New(env, Write);
  exports["read"] = Napi::Function::New(env, Read);
  exports["release"] = Napi::Function::New(env, Release);
  exports["share"] = Napi::Function::New(env, Share);
  exports["makePlan"] = Napi::Function::New(env, MakePlan);
  exports["dropPlan"] = Napi::Function::New(env, DropPlan);
  exports["runPlanAsync"] = Napi::Function::New(env, RunPlanAsync);
  exports["lastError"] = Napi::Function::New(env, LastError);
  exports["packedElems"] = Napi::Function::New(env, PackedElems);
  exports["gainsBySplitting"] = Napi::Function::New(env, GainsBySplittingOf);
  exports["configure"] = Napi::Function::New(env, Configure);
  exports["takeEvents"] = Napi::Function::New(env, TakeEvents);
  exports["stats"] = Napi::Function::New(env, Stats);
  exports["freeArenas"] = Napi::Function::New(env, FreeArenas);
  exports["failAllocation"] = Napi::Function::New(env, FailAllocationOf);
  exports["setHugePages"] = Napi::Function::New(env, SetHugePagesOf);
  exports["multiplyAddRate"] = Napi::Function::New(env, MultiplyAddRateOf);
  exports["readRate"] = Napi::Function::New(env, ReadRateOf);
  exports["info"] = Info(env);
  return exports;
}

}  // namespace

NODE_API_MODULE(graviton, Init)

}  // namespace graviton
