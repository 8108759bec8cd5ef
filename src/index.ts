/**
 * Importing this package registers the backend `graviton` and its kernels with TensorFlow.js. It becomes the default backend: its priority is
 * above those of tfjs-backend-cpu (1) and tfjs-backend-wasm (2).
 */
import {registerBackend, registerKernel} from '@tensorflow/tfjs-core';
import {GravitonBackend} from './backend';
import {planKernel} from './compile/recorder';
import {applySettings, registerFlags} from './config';
import {registerKernels} from './kernels/registry';

export {type AsyncOptions, type CompiledFunction, CompiledModel, compile} from './compile/compile';
export type {ExplainedPlan, ExplainedStep, Explanation} from './compile/explain';
export type {CompileOptions, CompileStats} from './compile/recorder';
export {GravitonError} from './errors';
export {type SystemInfo, systemInfo} from './system-info';

registerFlags();
registerKernels();
registerKernel(planKernel);
registerBackend(
  'graviton',
  () => {
    applySettings();
    return new GravitonBackend();
  },
  3,
);
