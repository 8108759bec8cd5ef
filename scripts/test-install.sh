#!/usr/bin/env bash
# Installs the packed tarball as a user would, in an empty folder with an empty HOME (a developer's npm settings and
# caches hide missing steps), and uses it by require, import and TypeScript.
#   source   without prebuilt binaries: compiled at installation, within 120 s
#   prebuilt with prebuilds/ as npm run prebuild left it: no compiler in PATH, nothing compiled
#   none     neither: the installation must fail, and say what to do
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
most_seconds=120

# PATH without any compiler: node, npm and what their scripts use.
mkdir "$work/bin"
for tool in node npm npx sh env; do ln -s "$(command -v "$tool")" "$work/bin/$tool"; done

pack() { # pack FILE [FOLDER TO LEAVE OUT]: the tarball, and once more without a folder
  npm pack --silent --pack-destination "$work" >/dev/null
  mkdir "$work/unpacked"
  tar xzf "$work"/tfjs-backend-graviton-*.tgz -C "$work/unpacked"
  [ $# -lt 2 ] || rm -rf "$work/unpacked/package/$2"
  tar czf "$1" -C "$work/unpacked" package
  rm -rf "$work/unpacked" "$work"/tfjs-backend-graviton-*.tgz
}

install() { # install FOLDER TARBALL PATH
  mkdir -p "$work/$1" "$work/home-$1"
  echo '{"name": "app", "version": "1.0.0", "private": true}' >"$work/$1/package.json"
  (cd "$work/$1" && env -i HOME="$work/home-$1" PATH="$3" npm install --no-audit --no-fund "$2" \
    @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-converter@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0)
}

use() { # use FOLDER
  cat >"$work/$1/main.cjs" <<'JS'
const tf = require('@tensorflow/tfjs-core');
const {compile} = require('tfjs-backend-graviton');
(async () => {
  await tf.setBackend('graviton');
  const product = tf.matMul(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.eye(2));
  if (tf.getBackend() !== 'graviton' || product.dataSync().join() !== '1,2,3,4') throw new Error(`${tf.getBackend()}: ${product}`);
  if (typeof compile !== 'function') throw new Error('no compile');
  console.log('require: ok');
})();
JS
  cat >"$work/$1/main.mjs" <<'JS'
import * as tf from '@tensorflow/tfjs-core';
import {compile} from 'tfjs-backend-graviton';
await tf.setBackend('graviton');
const sum = tf.add(tf.tensor1d([1, 2]), 1);
if (tf.getBackend() !== 'graviton' || sum.dataSync().join() !== '2,3') throw new Error(`${tf.getBackend()}: ${sum}`);
if (typeof compile !== 'function') throw new Error('no compile');
console.log('import: ok');
JS
  cat >"$work/$1/main.ts" <<'TS'
import * as tf from '@tensorflow/tfjs-core';
import {compile} from 'tfjs-backend-graviton';
export const doubled = compile((x: tf.Tensor1D) => tf.mul(x, 2));
export const type: string = typeof doubled;
TS
  (cd "$work/$1" && env -i HOME="$work/home-$1" PATH="$2" node main.cjs && env -i HOME="$work/home-$1" PATH="$2" node main.mjs)
  (cd "$work/$1" && env -i HOME="$work/home-$1" PATH="$2" npx --no-install tfjs-backend-graviton bench --models minilm --seconds 0.1)
  for resolution in node16 bundler; do
    local module=node16
    [ $resolution = node16 ] || module=esnext
    node_modules/.bin/tsc --ignoreConfig --noEmit --strict --skipLibCheck --module $module --moduleResolution $resolution --target es2022 \
      --types node --typeRoots node_modules/@types "$work/$1/main.ts"
    echo "TypeScript, $resolution: ok"
  done
}

source_() {
  pack "$work/source.tgz" prebuilds
  local started=$SECONDS
  install source "$work/source.tgz" "$PATH"
  local took=$((SECONDS - started))
  echo "compiled and installed with an empty HOME in $took s on $(nproc) processors"
  ls "$work/source/node_modules/tfjs-backend-graviton/build/Release/graviton.node" >/dev/null
  use source "$PATH"
  [ $took -le $most_seconds ] || { echo "more than $most_seconds s" >&2; exit 1; }
}

prebuilt() {
  pack "$work/prebuilt.tgz"
  echo "tarball: $(stat -c %s "$work/prebuilt.tgz") bytes"
  local started=$SECONDS
  install prebuilt "$work/prebuilt.tgz" "$work/bin"
  echo "installed without a compiler in $((SECONDS - started)) s"
  [ ! -e "$work/prebuilt/node_modules/tfjs-backend-graviton/build" ]
  use prebuilt "$work/bin"
}

none() {
  pack "$work/none.tgz" prebuilds
  if install none "$work/none.tgz" "$work/bin" >"$work/none.log" 2>&1; then
    echo 'the installation succeeded without a binary' >&2
    exit 1
  fi
  grep -q 'no C++ compiler' "$work/none.log" && grep -q 'apt-get install g++' "$work/none.log"
  echo 'without a binary and without a compiler: the installation fails and says what to do'
}

case ${1:-} in
  source) source_ ;;
  prebuilt) prebuilt ;;
  none) none ;;
  *) echo 'usage: scripts/test-install.sh source|prebuilt|none' >&2; exit 1 ;;
esac
