#!/usr/bin/env bash
# Installs the packed tarball as a user would, in an empty folder with an empty HOME (a developer's npm settings and
# caches hide missing steps), and uses it by require, import and TypeScript. With prebuilt binaries: test-clean-root.sh.
#   source   without prebuilt binaries: compiled at installation; how long that took is printed
#   none     neither these nor a compiler: the installation must fail, and say what to do
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/user-programs.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# PATH without any compiler: node, npm and what their scripts use.
mkdir "$work/bin"
for tool in node npm npx sh env; do ln -s "$(command -v "$tool")" "$work/bin/$tool"; done

pack() { # pack FILE: the tarball without prebuilt binaries
  npm pack --silent --pack-destination "$work" >/dev/null
  mkdir "$work/unpacked"
  tar xzf "$work"/tfjs-backend-graviton-*.tgz -C "$work/unpacked"
  rm -rf "$work/unpacked/package/prebuilds"
  tar czf "$1" -C "$work/unpacked" package
  rm -rf "$work/unpacked" "$work"/tfjs-backend-graviton-*.tgz
}

install() { # install FOLDER TARBALL PATH
  mkdir -p "$work/$1" "$work/home-$1"
  write_user_programs "$work/$1"
  (cd "$work/$1" && env -i HOME="$work/home-$1" PATH="$3" npm install --no-audit --no-fund "$2" "${packages[@]}")
}

use() { # use FOLDER
  (cd "$work/$1" && env -i HOME="$work/home-$1" PATH="$2" node main.cjs && env -i HOME="$work/home-$1" PATH="$2" node main.mjs)
  (cd "$work/$1" && env -i HOME="$work/home-$1" PATH="$2" npx --no-install tfjs-backend-graviton bench --models minilm --seconds 0.1)
  (tsc=$PWD/node_modules/.bin/tsc types=$PWD/node_modules/@types && cd "$work/$1" && check_types "$tsc" --typeRoots "$types")
}

source_() {
  pack "$work/source.tgz"
  local started=$SECONDS
  install source "$work/source.tgz" "$PATH"
  local took=$((SECONDS - started))
  echo "compiled and installed with an empty HOME in $took s on $(nproc) processors"
  ls "$work/source/node_modules/tfjs-backend-graviton/build/Release/graviton.node" >/dev/null
  use source "$PATH"
}

none() {
  pack "$work/none.tgz"
  if install none "$work/none.tgz" "$work/bin" >"$work/none.log" 2>&1; then
    echo 'the installation succeeded without a binary' >&2
    exit 1
  fi
  grep -q 'no C++ compiler' "$work/none.log" && grep -q 'apt-get install g++' "$work/none.log"
  echo 'without a binary and without a compiler: the installation fails and says what to do'
}

case ${1:-} in
  source) source_ ;;
  none) none ;;
  *) echo 'usage: scripts/test-install.sh source|none' >&2; exit 1 ;;
esac
