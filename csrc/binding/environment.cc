#include "binding/environment.h"

#include "memory/allocate.h"

namespace graviton {

bool Environment::Install(napi_env env) {
  void* memory = Allocate(sizeof(Environment));
  if (memory == nullptr) return false;
  auto* environment = new (memory) Environment;
  const auto finalize = [](napi_env, void* data, void*) {
    auto* own = static_cast<Environment*>(data);
    own->dispatcher_.Stop();
    own->~Environment();
    Free(own, sizeof(Environment));
  };
  return napi_set_instance_data(env, environment, finalize, nullptr) == napi_ok;
}

}  // namespace graviton
