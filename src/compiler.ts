/** The public compile(). The compiler is half of the package's JavaScript: the first call loads it. */
import type {GraphModel} from '@tensorflow/tfjs-converter';
import type {Compiled, CompiledFunction, CompiledModel, LayersModelLike} from './compile/compile';
import type {CompileOptions} from './compile/recorder';

/**
 * Returns at once; the first call with new input shapes records and optimises a plan, later calls replay it as native steps.
 * `target`: a GraphModel; a LayersModel, whose predict is compiled; or a function of tensors in any arrays and objects, which must be pure
 * apart from tf.Variables that it reads. Packing copies every weight once.
 *
 *     const fast = compile(model);
 *     await fast.warmup({input_ids: [1, 128], attention_mask: [1, 128]});
 *     const y = await fast.predictAsync({input_ids, attention_mask});
 */
export function compile(target: GraphModel, options?: CompileOptions): CompiledModel;
export function compile<F extends (...args: never[]) => unknown>(target: F, options?: CompileOptions): CompiledFunction<F>;
export function compile<M extends LayersModelLike>(
  target: M,
  options?: CompileOptions,
): {predict: CompiledFunction<M['predict']>} & Compiled;
export function compile(target: object, options: CompileOptions = {}): unknown {
  return (require('./compile/compile') as typeof import('./compile/compile')).compiled(target, options);
}
