/** What a fused product or convolution does to its sums: bias and activation, as one Pointwise program. */
import type {TensorInfo} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {broadcastShape, broadcastStrides, joined, type Shape, sameShape} from '../ops/geometry';
import {call, type Expr, f32, input} from '../ops/program';
import {broadcast, kept, program} from './steps';

export interface Activation {
  readonly activation?: string | undefined;
  readonly leakyreluAlpha?: number | undefined;
}

export interface Epilogue {
  /** One float for each channel, added to the sums before the program. */
  readonly bias: TensorInfo | undefined;
  /** In which input 0 is the sum; undefined where it would be the sum itself. */
  readonly expr: Expr | undefined;
  /** Inputs 1, 2, …, which broadcast to the result. */
  readonly operands: readonly TensorInfo[];
}

export const plain: Epilogue = {bias: undefined, expr: undefined, operands: []};

function activated(name: string, x: Expr, prelu: Expr | undefined, leakyreluAlpha: number): Expr {
  switch (name) {
    case 'linear':
      return x;
    case 'relu':
      return call('Relu', x);
    case 'relu6':
      return call('Relu6', x);
    case 'elu':
      return call('Elu', x);
    case 'sigmoid':
      return call('Sigmoid', x);
    case 'leakyrelu':
      return call('LeakyRelu', x, f32(leakyreluAlpha));
    case 'prelu':
      if (prelu !== undefined) return call('Prelu', x, prelu);
      throw errors.argument('prelu', 'preluActivationWeights are not given');
    default:
      throw errors.argument('a fused kernel', `the activation '${name}' is none of linear, relu, relu6, elu, sigmoid, leakyrelu, prelu`);
  }
}

interface Form {
  readonly activation: string;
  readonly leakyreluAlpha: number;
  /** The bias is an operand of the program. */
  readonly biased: boolean;
  /** The slopes are the next one. */
  readonly sloped: boolean;
}
const exprOf = kept(({activation, leakyreluAlpha, biased, sloped}: Form): Expr => {
  const sum = biased ? call('Add', input(0), input(1)) : input(0);
  return activated(activation, sum, sloped ? input(biased ? 2 : 1) : undefined, leakyreluAlpha);
});

/** `channels`: size of the result's last axis. */
export function epilogueOf(
  channels: number,
  bias: TensorInfo | undefined | null,
  prelu: TensorInfo | undefined | null,
  {activation, leakyreluAlpha}: Activation,
): Epilogue {
  const isVector = bias?.shape.length === 1 && bias.shape[0] === channels;
  const biased = Boolean(bias) && !isVector;
  const sloped = Boolean(prelu) && activation === 'prelu';
  const operands = [...(bias && biased ? [bias] : []), ...(prelu && sloped ? [prelu] : [])];
  const expr = exprOf({activation: activation ?? 'linear', leakyreluAlpha: leakyreluAlpha ?? 0.2, biased, sloped});
  return {bias: isVector ? bias : undefined, expr: 'op' in expr ? expr : undefined, operands};
}

const encoded = new WeakMap<Expr, readonly number[]>();
/** program() of an expression that comes again: exprOf() keeps them. */
function wordsOf(expr: Expr): readonly number[] {
  let words = encoded.get(expr);
  if (words === undefined) {
    words = program(expr);
    encoded.set(expr, words);
  }
  return words;
}

/** The step parameters of an epilogue over a result whose operands' `strides` walk four axes. */
export function epilogueParams(epilogue: Epilogue, strides: readonly (readonly number[])[]) {
  return {epilogue: epilogue.expr === undefined ? [] : wordsOf(epilogue.expr), epilogueStrides: joined(strides)};
}

/** Strides of each of the epilogue's operands over the result's axes. */
export function operandStrides({operands}: Epilogue, shape: Shape): number[][] {
  return operands.map((x) => broadcastStrides(x.shape, shape));
}

/**
 * Runs `make` with the epilogue; where an operand would make the result larger than `shape`, without it, and the program as a step of its own.
 */
export function withEpilogue(
  backend: GravitonBackend,
  op: string,
  epilogue: Epilogue,
  shape: Shape,
  make: (epilogue: Epilogue) => TensorInfo,
): TensorInfo {
  const {bias, expr, operands} = epilogue;
  if (expr === undefined || operands.every((x) => sameShape(broadcastShape(x.shape, shape, op), shape))) return make(epilogue);
  const sums = make({...plain, bias});
  const result = broadcast(backend, op, program(expr), [sums, ...operands], 'float32');
  backend.disposeIntermediate(sums);
  return result;
}
