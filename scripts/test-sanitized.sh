#!/usr/bin/env bash
# scripts/test-sanitized.sh address|thread [MOCHA'S ARGUMENTS]: builds the addon with AddressSanitizer and UndefinedBehaviorSanitizer, or
# with ThreadSanitizer, in build/sanitized-*, and runs compiled tests on it. Default: what the sanitizer has something to say about.
set -euo pipefail
cd "$(dirname "$0")/.."

kind=${1:-}
shift || true
tests=('ts/test/ops/**/*.test.js' ts/test/fuzz/fuzz.test.js ts/test/native/threads.test.js ts/test/native/async.test.js)
case $kind in
  address)
    # float-divide-by-zero, float-cast-overflow: IEEE results that TensorFlow has too. vptr needs RTTI.
    flags='-fsanitize=address,undefined -fno-sanitize=vptr,float-divide-by-zero,float-cast-overflow'
    libraries="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so)"
    tests+=(ts/test/native/malformed.test.js ts/test/native/memory.test.js)
    ;;
  thread)
    flags='-fsanitize=thread'
    libraries=$(g++ -print-file-name=libtsan.so)
    ;;
  *)
    echo "usage: $0 address|thread [mocha's arguments]" >&2
    exit 2
    ;;
esac
[ $# -gt 0 ] || set -- "${tests[@]}"

root=build/sanitized-$kind
mkdir -p $root
rm -rf $root/ts
cp -r build/ts $root/ts # a copy: the loader takes the first folder upwards with a binding.gyp for the package
for name in binding.gyp package.json csrc docs scripts node_modules test; do ln -sfn "$PWD/$name" $root/$name; done
cd $root

# -O1 compiles in a third of -O3's time and keeps what the sanitizers look for.
export CXXFLAGS="$flags -O1 -g1" LDFLAGS="$flags" JOBS=max npm_config_loglevel=warn
export npm_config_nodedir=$PWD/scripts/gyp npm_config_force_process_config=true
npx node-gyp configure
npx node-gyp build

# Node itself is not instrumented: the run time comes first by LD_PRELOAD, V8's leaks are its own, and so are its races.
# A finding ends the run; UBSAN_OPTIONS=halt_on_error=0 goes on to the next. ThreadSanitizer's shadow needs addresses that are not random.
export ASAN_OPTIONS="detect_leaks=0:alloc_dealloc_mismatch=0:allocator_may_return_null=1:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1:${UBSAN_OPTIONS:-}"
export TSAN_OPTIONS="halt_on_error=1:report_signal_unsafe=0:allocator_may_return_null=1:ignore_noninstrumented_modules=1:${TSAN_OPTIONS:-}"
fixed=()
! setarch -R true 2>/dev/null || fixed=(setarch -R)
export GRAVITON_TEST_PATIENCE=10 LD_PRELOAD=$libraries
"${fixed[@]}" node node_modules/mocha/bin/mocha.js --no-config --timeout 600000 --reporter scripts/count-reporter.js "$@"
