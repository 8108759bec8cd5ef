/** Ops with four named axes: how passes read and set the strides of their operands, whichever op it is. */
import {Conv2D, DepthwiseConv2D, Pool2D} from '../ops/convolution';
import {Attention, MatMul} from '../ops/linear';
import {Recurrence} from '../ops/recurrence';
import {Normalize} from '../ops/reduction';
import type {OpSpec} from '../ops/schema';
import {list, type Node, num, type Operand} from './ir';

/** An operand's strides over the op's axes: parameter names, a constant stride, or null where the operand has no such axis (stride 0). */
type StrideNames = readonly (string | number | null)[];

interface AxisTable {
  /** Parameter names of the sizes, outermost first; 1 where the op has no such axis. */
  readonly sizes: readonly (string | 1)[];
  /** Operand number → the sizes (by name) and strides that it is walked with. */
  readonly reads: Readonly<Record<number, {readonly sizes: readonly (string | 1)[]; readonly strides: StrideNames}>>;
  /** Strides of the output over `sizes`. */
  readonly write: StrideNames;
}

const image: AxisTable = {
  sizes: ['batch', 'outH', 'outW', 'outC'],
  reads: {0: {sizes: ['batch', 'inH', 'inW', 'inC'], strides: ['xBatch', 'xRow', 'xCol', 1]}},
  write: ['yBatch', 'yRow', 'yCol', 1],
};

const tables = new Map<OpSpec, AxisTable>([
  [
    MatMul,
    {
      sizes: ['batch1', 'batch2', 'rowsM', 'colsN'],
      reads: {
        0: {sizes: ['batch1', 'batch2', 'rowsM', 'depthK'], strides: ['aBatch1', 'aBatch2', 'aRow', 'aCol']},
        1: {sizes: ['batch1', 'batch2', 'depthK', 'colsN'], strides: ['bBatch1', 'bBatch2', 'bRow', 'bCol']},
      },
      write: ['cBatch1', 'cBatch2', 'cRow', 1],
    },
  ],
  [
    Attention,
    {
      sizes: ['batch', 'heads', 'queries', 'valueDepth'],
      reads: {
        0: {sizes: ['batch', 'heads', 'queries', 'depth'], strides: ['queryBatch', 'queryHead', 'queryRow', 1]},
        1: {sizes: ['batch', 'heads', 'keys', 'depth'], strides: ['keyBatch', 'keyHead', 'keyRow', 1]},
        2: {sizes: ['batch', 'heads', 'keys', 'valueDepth'], strides: ['valueBatch', 'valueHead', 'valueRow', 1]},
        3: {sizes: ['batch', 'heads', 'queries', 'keys'], strides: ['maskBatch', 'maskHead', 'maskRow', 'maskCol']},
      },
      write: ['outBatch', 'outHead', 'outRow', 1],
    },
  ],
  [Conv2D, image],
  [DepthwiseConv2D, image],
  [Pool2D, image],
  [
    Normalize,
    {
      sizes: [1, 1, 'rows', 'cols'],
      reads: {0: {sizes: [1, 1, 'rows', 'cols'], strides: [null, null, 'xRow', 1]}},
      write: [null, null, 'yRow', 1],
    },
  ],
  [Recurrence, {sizes: [1, 'steps', 'batch', 'units'], reads: {}, write: [null, 'outStep', 'outRow', 1]}],
]);

export interface Walk {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

const strideOf = (node: Node, name: string | number | null): number =>
  name === null ? 0 : typeof name === 'number' ? name : num(node, name);
const sizesOf = (node: Node, names: readonly (string | 1)[]): number[] => names.map((name) => (name === 1 ? 1 : num(node, name)));

export function hasAxes(node: Node): boolean {
  return tables.has(node.op);
}

/** Which operand of its epilogue operand `position` is; below 0 where it is none of them. */
function extraOf(node: Node, position: number): number {
  const strides = node.params.epilogueStrides;
  return Array.isArray(strides) ? position - (node.inputs.length - strides.length / 4) : -1;
}

/** How the op walks operand `position`; undefined where it is not described by strides (packed weights, a bias). */
export function readWalk(node: Node, position: number): Walk | undefined {
  const extra = extraOf(node, position);
  const written = extra < 0 ? undefined : writeWalk(node);
  if (written !== undefined) return {shape: written.shape, strides: list(node, 'epilogueStrides').slice(4 * extra, 4 * extra + 4)};
  const read = tables.get(node.op)?.reads[position];
  if (read === undefined || (node.op === MatMul && position === 1 && num(node, 'packedB') !== 0)) return undefined;
  return {shape: sizesOf(node, read.sizes), strides: read.strides.map((name) => strideOf(node, name))};
}

export function writeWalk(node: Node): Walk | undefined {
  const table = tables.get(node.op);
  if (table === undefined) return undefined;
  return {shape: sizesOf(node, table.sizes), strides: table.write.map((name) => strideOf(node, name))};
}

/** Sets named strides; undefined where the op has a fixed stride that differs, on an axis that is longer than 1. */
function withStrides(node: Node, names: StrideNames, strides: readonly number[], sizes: readonly number[]): Node | undefined {
  const params = {...node.params};
  for (const [axis, name] of names.entries()) {
    const stride = strides[axis] as number;
    if (typeof name === 'string') params[name] = stride;
    else if (sizes[axis] !== 1 && stride !== (name ?? 0)) return undefined;
  }
  return {...node, params};
}

/** The axis that two operands are summed over, and their strides along it. */
const summed = new Map<OpSpec, readonly [size: string, first: string, second: string]>([
  [MatMul, ['depthK', 'aCol', 'bRow']],
  [Attention, ['keys', 'keyRow', 'valueRow']],
]);

/** Kernels refuse a sum along which neither operand moves: its length would be bounded by no buffer. */
function movesAlongSum(node: Node): boolean {
  const names = summed.get(node.op);
  if (names === undefined || (node.op === MatMul && num(node, 'packedB') !== 0)) return true;
  const [size, first, second] = names;
  return num(node, size) <= 1 || num(node, first) !== 0 || num(node, second) !== 0;
}

/** Pools refuse images whose elements overlap. */
function readsEachOnce(node: Node): boolean {
  if (node.op !== Pool2D) return true;
  const {shape, strides} = readWalk(node, 0) as Walk;
  const axes = shape.map((size, axis) => ({size, stride: strides[axis] as number})).filter(({size}) => size > 1);
  axes.sort((a, b) => a.stride - b.stride);
  let reach = 1;
  return axes.every(({size, stride}) => {
    const distinct = stride >= reach;
    reach += (size - 1) * stride;
    return distinct;
  });
}

export function withReadStrides(node: Node, position: number, strides: readonly number[]): Node | undefined {
  const extra = extraOf(node, position);
  if (extra >= 0 && hasAxes(node)) {
    const epilogueStrides = [...list(node, 'epilogueStrides')];
    epilogueStrides.splice(4 * extra, 4, ...strides);
    return {...node, params: {...node.params, epilogueStrides}};
  }
  const read = tables.get(node.op)?.reads[position];
  const result = read && withStrides(node, read.strides, strides, sizesOf(node, read.sizes));
  return result !== undefined && movesAlongSum(result) && readsEachOnce(result) ? result : undefined;
}

export function withWriteStrides(node: Node, strides: readonly number[]): Node | undefined {
  const table = tables.get(node.op);
  return table && withStrides(node, table.write, strides, sizesOf(node, table.sizes));
}

/**
 * The same node with only every `step`-th of its rows (the axis before the last), from row `first` on. Undefined where rows are not
 * computed each for itself.
 */
export function withRows(node: Node, first: number, step: number): Node | undefined {
  const table = tables.get(node.op);
  const rows = table?.sizes[2];
  const reads = Object.entries(table?.reads ?? {}).filter(([, {sizes}]) => sizes[2] === rows);
  const joined = node.params.causal === true || (node.op === Normalize && num(node, 'positions') !== 1);
  if (table === undefined || typeof rows !== 'string' || reads.length === 0 || joined || num(node, rows) % step !== 0) return undefined;
  const params = {...node.params, [rows]: num(node, rows) / step};
  const moved = (operand: Operand | undefined, stride: number) => operand && {...operand, offset: operand.offset + first * stride};
  const stretched = (name: string | number | null | undefined) => {
    const stride = strideOf(node, name ?? null);
    if (typeof name === 'string') params[name] = stride * step;
    return stride;
  };
  const inputs = [...node.inputs];
  for (const [position, {strides}] of reads) inputs[Number(position)] = moved(inputs[Number(position)], stretched(strides[2]));
  const epilogueStrides = [...list(node, 'epilogueStrides')];
  for (let i = 2; i < epilogueStrides.length; i += 4) {
    const position = inputs.length - (epilogueStrides.length - i + 2) / 4;
    inputs[position] = moved(inputs[position], epilogueStrides[i] as number);
    epilogueStrides[i] = (epilogueStrides[i] as number) * step;
  }
  const [result, ...others] = node.outputs;
  const outputs = [moved(result, stretched(table.write[2])) as Operand, ...others];
  return {...node, inputs, outputs, params: {...params, epilogueStrides}};
}

/**
 * The same node with its batch axes (1, b·h) cut into (b, h), for ops that have two of them: every operand's stride over b is h steps of
 * its stride over b·h.
 */
export function withSplitBatch(node: Node, outer: number, inner: number): Node | undefined {
  const table = tables.get(node.op);
  if (table === undefined || (node.op !== MatMul && node.op !== Attention)) return undefined;
  const [first, second] = table.sizes as readonly [string, string];
  if (num(node, first) !== 1 || num(node, second) !== outer * inner) return undefined;
  const params = {...node.params, [first]: outer, [second]: inner};
  for (const names of [...Object.values(table.reads).map((r) => r.strides), table.write]) {
    params[names[0] as string] = num(node, names[1] as string) * inner;
  }
  const strides = [...(node.params.epilogueStrides as readonly number[])];
  for (let i = 0; i < strides.length; i += 4) strides[i] = (strides[i + 1] as number) * inner;
  return {...node, params: {...params, epilogueStrides: strides}};
}
