/** Which inner loop a product or convolution takes, as explain() reports it: a fall to a slower one shows. */
import {native} from '../native';
import {Conv2D, ExpandDepthwiseConv2D} from '../ops/convolution';
import {MatMul, packLayouts} from '../ops/linear';
import {Recurrence} from '../ops/recurrence';
import type {OpSpec} from '../ops/schema';
import {type Graph, type Node, num, valueOf} from './ir';
import {takesOneMatrix} from './passes/packing';

const packed: Readonly<Record<number, string>> = {
  [packLayouts.gemmF32]: 'packed fp32',
  [packLayouts.gemmBf16]: 'packed bf16',
  [packLayouts.gemmInt8]: 'packed int8',
  [packLayouts.winograd4F32]: 'Winograd 4x4',
  [packLayouts.winograd2F32]: 'Winograd 2x2',
};

const multiplies: ReadonlySet<OpSpec> = new Set<OpSpec>([MatMul, Conv2D, Recurrence, ExpandDepthwiseConv2D]);

/** Whether the operands are floats and multiplied in a matrix unit, as sums of bfloat16 numbers. */
function isSplit(node: Node): boolean {
  const product = (...sizes: readonly string[]) => sizes.reduce((all, size) => all * num(node, size), 1);
  if (node.op === MatMul) return native().gainsBySplitting(product('batch1', 'batch2', 'rowsM'), num(node, 'depthK'), num(node, 'colsN'));
  if (node.op !== Conv2D || num(node, 'groups') > 1) return false;
  return native().gainsBySplitting(product('batch', 'outH', 'outW'), product('filterH', 'filterW', 'inC'), num(node, 'outC'));
}

/**
 * 'packed …' and 'Winograd …': weights lie as the register tiles read them; 'packed split fp32': a matrix unit multiplies them. 'packed at each
 * call': the second operand is computed, not a constant, or another matrix for each product of the batch. 'grouped': a convolution in groups.
 * 'plain': constant weights that are not packed. undefined: not such an op.
 */
export function microKernelOf(graph: Graph, node: Node): string | undefined {
  if (node.host !== undefined || !multiplies.has(node.op)) return undefined;
  const layout = num(node, 'packedFilter' in node.params ? 'packedFilter' : 'packedB');
  if (layout === packLayouts.gemmF32 && isSplit(node)) return 'packed split fp32';
  if (layout !== packLayouts.none) return packed[layout] ?? 'packed';
  if (node.op === Conv2D && num(node, 'groups') > 1) return 'grouped';
  if (node.op === MatMul && !takesOneMatrix(node)) return 'packed at each call';
  const weights = node.inputs[1];
  return weights !== undefined && valueOf(graph, weights.value).constant !== undefined ? 'plain' : 'packed at each call';
}
