#ifndef GRAVITON_BINDING_ASYNC_CALL_H_
#define GRAVITON_BINDING_ASYNC_CALL_H_

#include <napi.h>

namespace graviton {

// runPlanAsync(words, callback): prepares the call that `words` describe, runs it on the
// dispatcher's thread and then, on this one, gives its outputs to their slots and calls
// callback(code). Returns a code at once; other than 0, the callback will not be called.
Napi::Value RunPlanAsync(const Napi::CallbackInfo& info);

}  // namespace graviton

#endif  // GRAVITON_BINDING_ASYNC_CALL_H_
