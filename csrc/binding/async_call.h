#ifndef GRAVITON_BINDING_ASYNC_CALL_H_
#define GRAVITON_BINDING_ASYNC_CALL_H_

#include <napi.h>

#include "binding/dispatcher.h"

namespace graviton {

class Environment;

// The asynchronous calls of one environment. All but the dispatcher's own work happens on
// JavaScript's thread, which the dispatcher wakes through one threadsafe function: one per call
// could be freed by the environment's cleanup while the dispatcher is about to use it.
class AsyncCalls {
 public:
  explicit AsyncCalls(Environment& environment)
      : environment_(environment), dispatcher_(Wake, this) {}

  // False when the environment cannot be woken from another thread.
  bool Open(napi_env env);
  // Prepares the call that the environment's words describe, runs it on the dispatcher's thread
  // and then gives its outputs to their slots and calls callback(code). On failure, at once, the
  // callback is not called.
  Status Start(napi_env env, napi_value callback);
  // Waits for the call that runs; no callback is called any more.
  void Close(napi_env env);

 private:
  static void Wake(void* self);
  void FinishEnded(napi_env env);

  Environment& environment_;
  napi_threadsafe_function wake_ = nullptr;
  size_t pending_ = 0;  // while there are any, they keep the event loop alive
  Dispatcher dispatcher_;
};

}  // namespace graviton

#endif  // GRAVITON_BINDING_ASYNC_CALL_H_
