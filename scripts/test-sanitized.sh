#!/usr/bin/env bash
# Builds the addon with AddressSanitizer and UndefinedBehaviorSanitizer in build/sanitized and runs compiled tests on it.
# Arguments are mocha's; default: the op cases.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- 'ts/test/ops/**/*.test.js'

root=build/sanitized
mkdir -p $root
rm -rf $root/ts
cp -r build/ts $root/ts # a copy: the loader takes the first folder upwards with a binding.gyp for the package
for name in binding.gyp package.json csrc scripts node_modules test; do ln -sfn "$PWD/$name" $root/$name; done
cd $root

# float-divide-by-zero, float-cast-overflow: IEEE results that TensorFlow has too. vptr needs RTTI.
flags='-fsanitize=address,undefined -fno-sanitize=vptr,float-divide-by-zero,float-cast-overflow'
# A finding ends the run; UBSAN_OPTIONS=halt_on_error=0 goes on to the next.
export CXXFLAGS="$flags -g1" LDFLAGS="$flags" JOBS=max npm_config_loglevel=warn
export npm_config_nodedir=$PWD/scripts/gyp npm_config_force_process_config=true
npx node-gyp configure
npx node-gyp build

# Node itself is not instrumented: the run time comes first by LD_PRELOAD, and V8's leaks are its own.
LD_PRELOAD="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so)" ASAN_OPTIONS=detect_leaks=0:alloc_dealloc_mismatch=0 \
  UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:${UBSAN_OPTIONS:-} node node_modules/mocha/bin/mocha.js --no-config --timeout 600000 \
  --reporter scripts/count-reporter.js "$@"
