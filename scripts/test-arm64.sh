#!/usr/bin/env bash
# npm run test:arm64 [-- MACHINE… [-- MOCHA ARGUMENTS | conformance | topologies [ARGUMENTS]]]: runs compiled tests in an arm64 Node under qemu-user,
# with the binary that ships (prebuilds/linux-arm64, cross-compiled here when it is missing or older than its sources).
# Machines: n1 = Graviton2 (no bf16), v1 = Graviton3 (SVE 256), v2 = Graviton4 (SVE 128). Default: all three, all tests
# but those that start a program (of another processor: packaging, bench, t5-translation, threads, async) or read what the kernel says of the
# process, which is the emulator (memory); then the conformance suite of tfjs-core, and the micro-kernels of all topologies of bench/models.
# Debian packages: g++-aarch64-linux-gnu qemu-user libc6-arm64-cross libstdc++6-arm64-cross.
set -euo pipefail
cd "$(dirname "$0")/.."

machines=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do machines+=("$1"); shift; done
[ "${1:-}" = -- ] && shift
[ ${#machines[@]} -gt 0 ] || machines=(n1 v1 v2)
for machine in "${machines[@]}"; do
  case $machine in
    n1 | v1 | v2) ;;
    *) echo "no machine $machine; there are n1, v1 and v2" >&2; exit 1 ;;
  esac
done
everything=false
[ $# -gt 0 ] || { everything=true; set -- "build/ts/test/**/*.test.js" --ignore "build/ts/test/{packaging,bench}/**" \
  --ignore "build/ts/test/examples/t5-translation.test.js" --ignore "build/ts/test/native/{threads,async,memory}.test.js"; }

binary=prebuilds/linux-arm64/tfjs-backend-graviton.glibc.node
if [ ! -e "$binary" ] || [ -n "$(find csrc binding.gyp scripts/gyp -newer "$binary" -type f -print -quit)" ]; then
  node scripts/prebuild.js linux-arm64
fi

node=$(scripts/node-binary.sh arm64)
mkdir -p build/arm64 # reports

export QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
# Emulated, a test takes ten times as long and more.
timeout_ms=600000

run_on() { # MACHINE MOCHA ARGUMENTS…
  local machine=$1 cpu level failed=false
  shift
  case $machine in
    n1) cpu=neoverse-n1 level=neon ;;
    v1) cpu=max,sve256=on level=neon-bf16 ;;
    v2) cpu=max,sve128=on level=neon-bf16 ;;
  esac
  echo "== $machine: qemu-aarch64 -cpu $cpu"
  emulated() { qemu-aarch64 -cpu "$cpu" "$node" "$@" || failed=true; }
  # One level: the suite would start itself once for each, and this Node is no program of this machine.
  conformance() { GRAVITON_ISA=$level emulated build/ts/test/conformance/run.js --one-level --timeout $timeout_ms; }
  case $1 in
    conformance) conformance ;;
    topologies) shift && emulated build/ts/test/topologies/run.js "$@" ;;
    *)
      emulated node_modules/mocha/bin/mocha.js --no-config --timeout $timeout_ms --reporter scripts/count-reporter.js "$@"
      ! $everything || { conformance && emulated build/ts/test/topologies/run.js; }
      ;;
  esac
  ! $failed
}

# All at once, since the emulator keeps little more than one processor busy. What the first says is shown as it comes, then the others.
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
first=${machines[0]}
others=("${machines[@]:1}")
jobs=()
for machine in "${others[@]}"; do
  run_on "$machine" "$@" >"build/arm64/$machine.log" 2>&1 &
  jobs+=($!)
done
failed=false
run_on "$first" "$@" || failed=true
for i in "${!others[@]}"; do
  wait "${jobs[$i]}" || failed=true
  cat "build/arm64/${others[$i]}.log"
done
! $failed
