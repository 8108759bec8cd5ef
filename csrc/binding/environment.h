#ifndef GRAVITON_BINDING_ENVIRONMENT_H_
#define GRAVITON_BINDING_ENVIRONMENT_H_

#include <napi.h>

#include "binding/async_call.h"
#include "plan/runtime.h"

namespace graviton {

// What the addon keeps for one JavaScript environment (the main thread or a worker): made when the
// addon is loaded there, destroyed by the environment's cleanup, after its running calls have
// ended.
class Environment {
 public:
  // False when memory is short; the loader reports that the addon has no functions.
  static bool Install(napi_env env);

  Runtime& runtime() { return runtime_; }
  AsyncCalls& async_calls() { return async_calls_; }

  // The words that JavaScript writes commands into.
  void Attach(const Napi::Object& array, List words) {
    reference_ = Napi::Persistent(array);
    words_ = words;
  }
  List words() const { return words_; }

  // Keeps a status for lastError() and gives its code.
  int Keep(Status status) {
    last_ = std::move(status);
    return static_cast<int>(last_.code());
  }
  const Status& last() const { return last_; }

 private:
  napi_env env_ = nullptr;
  Runtime runtime_;
  AsyncCalls async_calls_{*this};
  Napi::ObjectReference reference_;
  List words_;
  Status last_;
};

}  // namespace graviton

#endif  // GRAVITON_BINDING_ENVIRONMENT_H_
