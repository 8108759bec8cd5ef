#include "binding/environment.h"

#include "memory/allocate.h"

namespace graviton {

bool Environment::Install(napi_env env) {
  void* memory = Allocate(sizeof(Environment));
  if (memory == nullptr) return false;
  auto* environment = new (memory) Environment;
  environment->env_ = env;
  const auto finalize = [](napi_env, void* data, void*) {
    auto* own = static_cast<Environment*>(data);
    own->~Environment();
    Free(own, sizeof(Environment));
  };
  // Hooks run last in, first out: after Open, so that calls end before what wakes them is gone.
  const auto close = [](void* data) {
    auto* own = static_cast<Environment*>(data);
    own->async_calls_.Close(own->env_);
  };
  return napi_set_instance_data(env, environment, finalize, nullptr) == napi_ok &&
         environment->async_calls_.Open(env) &&
         napi_add_env_cleanup_hook(env, close, environment) == napi_ok;
}

}  // namespace graviton
