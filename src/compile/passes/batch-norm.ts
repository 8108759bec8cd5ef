import {Conv2D, DepthwiseConv2D} from '../../ops/convolution';
import {MatMul} from '../../ops/linear';
import {Pointwise} from '../../ops/pointwise';
import {call, type Expr, encodeProgram, input} from '../../ops/program';
import {writeWalk} from '../axes';
import type {ConstantPool} from '../constants';
import {Editor} from '../editor';
import {evaluate, inputsIn, keyOf, occurrences, replacePart} from '../expression';
import {type Graph, type Node, num, type Operand, valueOf} from '../ir';
import type {Pass} from '../pass';
import {type Epilogue, epilogueOf, isColumn, notesOf, withEpilogue} from './linear';

/** A weight tensor as [rows, columns], columns being output channels. */
interface Weights {
  readonly constant: number;
  readonly shape: readonly [rows: number, columns: number];
  readonly strides: readonly [number, number];
}

function weightsOf(graph: Graph, node: Node): Weights | undefined {
  const operand = node.inputs[1];
  const constant = operand?.offset === 0 ? valueOf(graph, operand.value).constant : undefined;
  if (constant === undefined) return undefined;
  if (node.op === MatMul) {
    const oneMatrix = num(node, 'batch1') * num(node, 'batch2') === 1 && num(node, 'packedB') === 0;
    if (!oneMatrix || valueOf(graph, (operand as Operand).value).elems !== num(node, 'depthK') * num(node, 'colsN')) return undefined;
    return {constant, shape: [num(node, 'depthK'), num(node, 'colsN')], strides: [num(node, 'bRow'), num(node, 'bCol')]};
  }
  if ((node.op !== Conv2D && node.op !== DepthwiseConv2D) || num(node, 'packedFilter') !== 0) return undefined;
  const columns = num(node, 'outC');
  const rows = valueOf(graph, (operand as Operand).value).elems / columns;
  return {constant, shape: [rows, columns], strides: [columns, 1]};
}

/** Operations that keep an expression affine in one argument while the others do not depend on it. */
const affine: Readonly<Record<string, readonly number[]>> = {Add: [0, 1], Sub: [0, 1], Mul: [0, 1], Div: [0], Neg: [0], MulAdd: [0, 1, 2]};

/** The largest part that is scale · product + shift with a scale and a shift per column, all of them constants. */
function affinePart(graph: Graph, {expr, extras}: Epilogue, axes: readonly number[]): Expr | undefined {
  const perColumn = (part: Expr) =>
    [...inputsIn(part)].every((i) => {
      const extra = extras[i - 1];
      const constant = extra && valueOf(graph, extra.operand.value).constant;
      return extra !== undefined && constant !== undefined && isColumn(extra.strides, axes);
    });
  /** Innermost first. */
  const parts: Expr[] = [];
  const walk = (part: Expr): boolean => {
    if ('input' in part && part.input === 0) return true;
    if (!('op' in part)) return false;
    const carriers = part.args.flatMap((arg, i) => (inputsIn(arg).has(0) ? [i] : []));
    const inside = carriers.map((i) => walk(part.args[i] as Expr));
    const [carrier] = carriers;
    if (carriers.length !== 1 || carrier === undefined || !inside[0]) return false;
    const others = part.args.filter((_, i) => i !== carrier);
    if (!affine[part.op]?.includes(carrier) || !others.every(perColumn)) return false;
    parts.push(part);
    return true;
  };
  walk(expr);
  // GELU uses product + bias twice, and only once divided by √2: nothing but the part may need the product.
  return parts.reverse().find((part) => !inputsIn(replacePart(expr, part, {f32: 0})).has(0));
}

/** `part` for each column, with the product set to `product`. */
function alongColumns(
  part: Expr,
  product: number,
  columns: number,
  leaf: (input: number, column: number) => number,
): Float64Array | undefined {
  const result = new Float64Array(columns);
  for (let column = 0; column < columns; column++) {
    const value = evaluate(part, (p) => ('input' in p ? (p.input === 0 ? product : leaf(p.input, column)) : undefined));
    if (value === undefined) return undefined;
    result[column] = value;
  }
  return result;
}

interface Affine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

function coefficients(graph: Graph, pool: ConstantPool, part: Expr, {extras}: Epilogue, columns: number): Affine | undefined {
  const vectors = extras.map(({operand, strides}) => {
    const {constant} = valueOf(graph, operand.value);
    return constant === undefined ? undefined : {values: pool.values(constant), offset: operand.offset, step: strides[3] as number};
  });
  const leaf = (i: number, column: number) => {
    const vector = vectors[i - 1];
    return vector?.values[vector.offset + column * vector.step] as number;
  };
  const shift = alongColumns(part, 0, columns, leaf);
  const one = alongColumns(part, 1, columns, leaf);
  if (shift === undefined || one === undefined) return undefined;
  const scale = one.map((v, i) => v - (shift[i] as number));
  return [...scale, ...shift].every(Number.isFinite) ? {scale, shift} : undefined;
}

/** `columns` numbers as a constant, the same one for the same origin. */
function column(editor: Editor, pool: ConstantPool, key: string, values: Float64Array): Operand {
  const constant = pool.makeOnce(key, () => Float32Array.from(values), 'float32');
  return {value: editor.newValue('float32', values.length, constant), offset: 0};
}

function fold(editor: Editor, pool: ConstantPool, node: Node): Node | undefined {
  const weights = weightsOf(editor, node);
  const epilogue = epilogueOf(node);
  if (weights === undefined || occurrences(epilogue.expr, 0) !== 1) return undefined;
  const part = affinePart(editor, epilogue, writeWalk(node)?.shape ?? []);
  const oldBias = epilogue.bias && valueOf(editor, epilogue.bias.value).constant;
  if (part === undefined || (epilogue.bias !== undefined && oldBias === undefined)) return undefined;
  const [rows, columns] = weights.shape;
  const found = coefficients(editor, pool, part, epilogue, columns);
  if (found === undefined) return undefined;
  const {scale, shift} = found;
  const constants = epilogue.extras.map((e) => [valueOf(editor, e.operand.value).constant, e.operand.offset, e.strides]);
  const key = JSON.stringify(['batch norm', keyOf(part), constants, oldBias]);
  const offset = epilogue.bias?.offset ?? 0;
  const before = oldBias === undefined ? undefined : pool.values(oldBias);
  const bias = column(
    editor,
    pool,
    `${key} shift`,
    shift.map((s, i) => s + (scale[i] as number) * (before?.[offset + i] ?? 0)),
  );
  let scaled = node.inputs[1] as Operand;
  if (scale.some((s) => s !== 1)) {
    const factors = column(editor, pool, `${key} scale`, scale);
    const {elems} = valueOf(editor, scaled.value);
    const params = {
      shape: [rows, columns],
      strides: [...weights.strides, 0, 1, ...weights.strides],
      program: encodeProgram(call('Mul', input(0), input(1))) as number[],
    };
    const product = pool.compute(
      Pointwise,
      [weights.constant, valueOf(editor, factors.value).constant as number],
      'float32',
      elems,
      params,
    );
    scaled = {value: editor.newValue('float32', elems, product), offset: 0};
  }
  const rest = {...epilogue, bias, expr: replacePart(epilogue.expr, part, {input: 0})};
  return withEpilogue({...node, inputs: [node.inputs[0], scaled]}, rest, node.outputs[0] as Operand, ['batch norm', ...notesOf(rest)]);
}

export const batchNorm: Pass = {
  name: 'batch-norm',
  why: 'what scales and shifts each channel by constants goes into weights and bias (changes the last bits of the result)',
  run(graph, {pool}) {
    const editor = new Editor(graph);
    for (const node of graph.nodes) {
      if (node.op !== MatMul && node.op !== Conv2D && node.op !== DepthwiseConv2D) continue;
      const folded = fold(editor, pool, node);
      if (folded !== undefined) editor.replace(node, folded);
    }
    return editor.finish();
  },
};
