#include "binding/async_call.h"

#include "binding/environment.h"
#include "memory/allocate.h"

namespace graviton {
namespace {

struct AsyncCall final : Dispatcher::Job {
  PlanCall call;
  EventLog log;
  Status status;
  Environment* environment;
  napi_threadsafe_function done = nullptr;

  void Run() override {
    status = call.Run();
    // Fails only while the environment shuts down; then Finished frees what is left.
    if (napi_call_threadsafe_function(done, this, napi_tsfn_nonblocking) != napi_ok) Destroy();
  }
  void Destroy() {
    this->~AsyncCall();
    Free(this, sizeof(AsyncCall));
  }
};

// On JavaScript's thread. env is null when the environment is going away.
void Finished(napi_env env, napi_value callback, void*, void* data) {
  auto* self = static_cast<AsyncCall*>(data);
  if (env == nullptr) {
    self->Destroy();
    return;
  }
  Environment& environment = *self->environment;
  environment.runtime().log.AddFromDispatcher(self->log);
  Status finished = environment.runtime().Finish(&self->call, self->status.ok());
  const int code =
      environment.Keep(self->status.ok() ? std::move(finished) : std::move(self->status));
  napi_threadsafe_function done = self->done;
  self->Destroy();
  napi_value undefined, argument;
  napi_get_undefined(env, &undefined);
  napi_create_int32(env, code, &argument);
  napi_call_function(env, undefined, callback, 1, &argument, nullptr);
  napi_release_threadsafe_function(done, napi_tsfn_release);
}

}  // namespace

Napi::Value RunPlanAsync(const Napi::CallbackInfo& info) {
  void* data = nullptr;
  napi_get_instance_data(info.Env(), &data);
  Environment& environment = *static_cast<Environment*>(data);
  const auto fail = [&](Status status) {
    return Napi::Number::New(info.Env(), environment.Keep(std::move(status)));
  };
  if (!info[0].IsFunction()) {
    return fail(Status::Error(Code::kInvalidStep, "runPlanAsync takes a callback"));
  }
  void* memory = Allocate(sizeof(AsyncCall));
  if (memory == nullptr) return fail(Status::OutOfMemory(sizeof(AsyncCall)));
  auto* self = new (memory) AsyncCall;
  self->environment = &environment;
  Status status = environment.runtime().Prepare(environment.words(), &self->call);
  if (status.ok()) {
    if (self->call.log != nullptr) self->call.log = &self->log;
    napi_value name = Napi::String::New(info.Env(), "graviton predictAsync");
    if (napi_create_threadsafe_function(info.Env(), info[0], nullptr, name, 0, 1, nullptr, nullptr,
                                        nullptr, Finished, &self->done) != napi_ok) {
      status = Status::Error(Code::kOutOfMemory, "an asynchronous call could not be set up");
    }
  }
  if (status.ok()) {
    status = environment.dispatcher().Submit(self);
    if (!status.ok()) napi_release_threadsafe_function(self->done, napi_tsfn_abort);
  }
  if (!status.ok()) {
    (void)environment.runtime().Finish(&self->call, false);
    self->Destroy();
  }
  return fail(std::move(status));
}

}  // namespace graviton
