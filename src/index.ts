/**
 * Importing this package registers the backend `graviton` and its kernels with TensorFlow.js. It becomes the default backend: its priority is
 * above those of tfjs-backend-cpu (1) and tfjs-backend-wasm (2).
 */
import {registerBackend} from '@tensorflow/tfjs-core';
import {GravitonBackend} from './backend';
import {applySettings, registerFlags} from './config';
import {registerKernels} from './kernels/registry';

export {GravitonError} from './errors';
export {type SystemInfo, systemInfo} from './system-info';

registerFlags();
registerKernels();
registerBackend(
  'graviton',
  () => {
    applySettings();
    return new GravitonBackend();
  },
  3,
);
