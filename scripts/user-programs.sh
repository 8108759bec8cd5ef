# Sourced by test-install.sh and test-clean-root.sh: programs that use the package by require, import and TypeScript.
packages=(@tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-converter@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0)

write_user_programs() { # FOLDER
  echo '{"name": "app", "version": "1.0.0", "private": true}' >"$1/package.json"
  cat >"$1/main.cjs" <<'JS'
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
  cat >"$1/main.mjs" <<'JS'
import * as tf from '@tensorflow/tfjs-core';
import {compile} from 'tfjs-backend-graviton';
await tf.setBackend('graviton');
const sum = tf.add(tf.tensor1d([1, 2]), 1);
if (tf.getBackend() !== 'graviton' || sum.dataSync().join() !== '2,3') throw new Error(`${tf.getBackend()}: ${sum}`);
if (typeof compile !== 'function') throw new Error('no compile');
console.log('import: ok');
JS
  cat >"$1/main.ts" <<'TS'
import * as tf from '@tensorflow/tfjs-core';
import {compile} from 'tfjs-backend-graviton';
export const doubled = compile((x: tf.Tensor1D) => tf.mul(x, 2));
export const type: string = typeof doubled;
TS
}

check_types() { # COMMAND…: runs tsc in the folder of main.ts with the arguments that follow
  "$@" --ignoreConfig --noEmit --strict --skipLibCheck --target es2022 --types node --module node16 --moduleResolution node16 main.ts
  "$@" --ignoreConfig --noEmit --strict --skipLibCheck --target es2022 --types node --module esnext --moduleResolution bundler main.ts
  echo 'TypeScript, node16 and bundler: ok'
}
