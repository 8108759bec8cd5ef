/**
 * Importing this package registers the backend `graviton`, its kernels and file:// models with TensorFlow.js. It becomes the default backend: its priority is
 * above those of tfjs-backend-cpu (1) and tfjs-backend-wasm (2).
 */
import {registerBackend} from '@tensorflow/tfjs-core';
import {GravitonBackend} from './backend';
import {applySettings, registerFlags} from './config';
import {callDirectly} from './direct-calls';
import {registerFileRouters} from './io/file-handler';
import {registerKernels} from './kernels/register';

export type {AsyncOptions, Compiled, CompiledFunction, CompiledModel, ModelInputs, ModelOutputs} from './compile/compile';
export type {ExplainedPlan, ExplainedStep, ExplainOptions, Explanation} from './compile/explain';
export type {CompileOptions, CompileStats} from './compile/recorder';
export {compile} from './compiler';
export {type ErrorCode, GravitonError} from './errors';
export {loadGraphModel} from './io/load-graph-model';
export type {ProfileEvent} from './profile/events';
export {type Profile, profile} from './profile/profile';
export type {SortKey, TableOptions} from './profile/table';
export {type SystemInfo, systemInfo} from './system-info';

registerFlags();
registerKernels();
callDirectly('graviton');
registerFileRouters();
registerBackend(
  'graviton',
  () => {
    applySettings();
    return new GravitonBackend();
  },
  3,
);
