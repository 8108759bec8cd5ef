#include "binding/async_call.h"

#include "binding/environment.h"
#include "memory/allocate.h"

namespace graviton {
namespace {

struct AsyncCall final : Dispatcher::Job {
  PlanCall call;
  EventLog log;
  Status status;
  napi_ref callback = nullptr;

  void Run() override { status = call.Run(); }
  void Destroy(napi_env env) {
    if (callback != nullptr) napi_delete_reference(env, callback);
    this->~AsyncCall();
    Free(this, sizeof(AsyncCall));
  }
};

}  // namespace

bool AsyncCalls::Open(napi_env env) {
  napi_value name;
  if (napi_create_string_utf8(env, "graviton predictAsync", NAPI_AUTO_LENGTH, &name) != napi_ok) {
    return false;
  }
  const auto finish = [](napi_env env, napi_value, void* self, void*) {
    if (env != nullptr) static_cast<AsyncCalls*>(self)->FinishEnded(env);
  };
  return napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this,
                                         finish, &wake_) == napi_ok &&
         napi_unref_threadsafe_function(env, wake_) == napi_ok;
}

void AsyncCalls::Wake(void* self) {
  // A failure only delays: the next wake, or Close, takes every call that has ended.
  (void)napi_call_threadsafe_function(static_cast<AsyncCalls*>(self)->wake_, nullptr,
                                      napi_tsfn_nonblocking);
}

Status AsyncCalls::Start(napi_env env, napi_value callback) {
  void* memory = Allocate(sizeof(AsyncCall));
  if (memory == nullptr) return Status::OutOfMemory(sizeof(AsyncCall));
  auto* job = new (memory) AsyncCall;
  Status status = environment_.runtime().Prepare(environment_.words(), &job->call);
  if (status.ok() && napi_create_reference(env, callback, 1, &job->callback) != napi_ok) {
    status = Status::Error(Code::kOutOfMemory, "an asynchronous call could not be set up");
  }
  if (status.ok()) {
    if (job->call.log != nullptr) job->call.log = &job->log;
    status = dispatcher_.Submit(job);
  }
  if (!status.ok()) {
    job->Destroy(env);
    return status;
  }
  if (pending_++ == 0) napi_ref_threadsafe_function(env, wake_);
  return {};
}

void AsyncCalls::FinishEnded(napi_env env) {
  while (Dispatcher::Job* ended = dispatcher_.TakeEnded()) {
    auto* job = static_cast<AsyncCall*>(ended);
    if (--pending_ == 0) napi_unref_threadsafe_function(env, wake_);
    environment_.runtime().log.AddFromDispatcher(job->log);
    Status status = std::move(job->status);
    if (status.ok()) status = environment_.runtime().Finish(&job->call);
    const int code = environment_.Keep(std::move(status));
    napi_value undefined, argument, callback;
    const bool can_call = napi_get_undefined(env, &undefined) == napi_ok &&
                          napi_create_int32(env, code, &argument) == napi_ok &&
                          napi_get_reference_value(env, job->callback, &callback) == napi_ok;
    job->Destroy(env);
    // What the callback throws, or the end of the environment, is Node's to handle: the rest waits.
    if (!can_call ||
        napi_call_function(env, undefined, callback, 1, &argument, nullptr) != napi_ok) {
      return Wake(this);
    }
  }
}

void AsyncCalls::Close(napi_env env) {
  dispatcher_.Stop();
  while (Dispatcher::Job* job = dispatcher_.TakeEnded()) static_cast<AsyncCall*>(job)->Destroy(env);
  napi_release_threadsafe_function(wake_, napi_tsfn_abort);
}

}  // namespace graviton
