import type {ScalarName} from '../ops/pointwise';
import {decodeProgram} from '../ops/program';
import {reduceKinds} from '../ops/reduction';
import {partsOf} from './expression';
import {list, type Node, num} from './ir';
import {roundingOf, roundingUnits} from './precision';

/** How far two evaluations of the same values lie apart. */
export interface Difference {
  /** Of the element that differs most. */
  readonly element: number;
  readonly got: number;
  readonly wanted: number;
  /** Largest distance of two elements; Infinity where one is NaN or infinite and the other is not the same. */
  readonly distance: number;
  /** Largest finite magnitude of what is wanted. */
  readonly scale: number;
}

type Elements = ArrayLike<number>;

export function differenceOf(got: Elements, wanted: Elements): Difference {
  let element = 0;
  let distance = 0;
  let scale = 0;
  for (let i = 0; i < wanted.length; i++) {
    const [a, b] = [got[i] as number, wanted[i] as number];
    if (Number.isFinite(b)) scale = Math.max(scale, Math.abs(b));
    const apart = a === b || (Number.isNaN(a) && Number.isNaN(b)) ? 0 : Math.abs(a - b);
    // NaN or infinite against a number.
    const size = Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart;
    if (size <= distance) continue;
    distance = size;
    element = i;
  }
  return {element, got: got[element] ?? 0, wanted: wanted[element] ?? 0, distance, scale};
}

/** The distance as a part of the largest magnitude. */
export const errorOf = ({distance, scale}: Difference): number =>
  distance === 0 ? 0 : scale === 0 ? Number.POSITIVE_INFINITY : distance / scale;

const unit = 2 ** -23;

/** Most terms that one element of the node's result is a sum of. */
function termsOf(node: Node): number {
  switch (node.op.name) {
    case 'MatMul':
      return num(node, 'depthK');
    case 'Attention':
      return num(node, 'depth') + num(node, 'keys');
    case 'Conv2D':
      return (num(node, 'filterH') * num(node, 'filterW') * num(node, 'inC')) / Math.max(1, num(node, 'groups'));
    case 'DepthwiseConv2D':
    case 'Pool2D':
      return num(node, 'filterH') * num(node, 'filterW');
    case 'ExpandDepthwiseConv2D':
      return num(node, 'filterH') * num(node, 'filterW') * num(node, 'depthK');
    case 'Reduce':
      return num(node, 'reduce');
    case 'Softmax':
      return num(node, 'cols');
    case 'Normalize':
      return (num(node, 'positions') * num(node, 'cols')) / num(node, 'groups');
    case 'Recurrence':
      return num(node, 'steps') * num(node, 'units');
    case 'Cumulative':
      return num(node, 'length');
    default:
      return 1;
  }
}

/** Ops that move or choose elements. */
const exactOps: ReadonlySet<string> = new Set([
  'StridedCopy',
  'Concat',
  'Pad',
  'Fill',
  'Gather',
  'GatherNd',
  'OneHot',
  'ArgReduce',
  'TopK',
]);

const exactReductions: ReadonlySet<number> = new Set([reduceKinds.max, reduceKinds.min, reduceKinds.any, reduceKinds.all]);

/** Functions of floats that round nothing; those of int32 never do. */
const exactScalars: ReadonlySet<ScalarName> = new Set<ScalarName>([
  ...(['Copy', 'Maximum', 'Minimum', 'Neg', 'Abs', 'Relu', 'Relu6', 'Sign', 'Floor', 'Ceil', 'Round', 'Step', 'Clip'] as const),
  ...(['Equal', 'NotEqual', 'Less', 'LessEqual', 'Greater', 'GreaterEqual', 'IsNan', 'IsInf', 'IsFinite'] as const),
  ...(['Select', 'ToInt', 'ToBool', 'ToBoolInt', 'And', 'Or', 'Xor', 'Not'] as const),
]);

/** Whether two right evaluations of the node may differ. */
function rounds(node: Node): boolean {
  if (node.op.name === 'Reduce') return !exactReductions.has(num(node, 'kind'));
  if (node.op.name !== 'Pointwise') return !exactOps.has(node.op.name);
  const parts = [...partsOf(decodeProgram(list(node, 'program')))];
  return parts.some((part) => 'op' in part && !exactScalars.has(part.op) && !part.op.endsWith('Int'));
}

const instructionsIn = (node: Node): number =>
  ['program', 'epilogue', 'cell', 'hidden', 'expansion'].reduce(
    (sum, name) => sum + (node.params[name] ? (list(node, name)[1] ?? 0) : 0),
    0,
  ) * Number(node.params.steps ?? 1);

/**
 * How far a step may lie from eager, as a part of the largest magnitude. Sums of n terms in two orders differ by about √n roundings, and
 * hardly ever by more than some ten times that (Higham & Mary 2019, SIAM J. Sci. Comput. 41(5)); each function of an expression may be
 * off by a few. 32 covers both. Sums that cancel are worse: Verifier measures those.
 */
export function toleranceOf(nodes: readonly Node[]): number {
  if (!nodes.some(rounds)) return 0;
  const terms = nodes.reduce((sum, node) => sum + termsOf(node), 0);
  const instructions = nodes.reduce((sum, node) => sum + instructionsIn(node), 0);
  // Operands are rounded independently of each other, so sums of n products are off by one rounding each of √n.
  const rounded = nodes.reduce((most, node) => Math.max(most, roundingUnits[roundingOf(node) ?? 'none']), 0);
  return 32 * unit * (Math.sqrt(terms) + Math.sqrt(1 + instructions)) + 4 * rounded;
}
