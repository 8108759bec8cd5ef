/** Which channels copies and concatenations put together: for values whose elements are [pixels, channels]. */
import {Conv2D, DepthwiseConv2D, Pool2D} from '../ops/convolution';
import {rowMajorStrides, sameWalk, sizeOf} from '../ops/geometry';
import {Concat, StridedCopy} from '../ops/movement';
import type {OpSpec} from '../ops/schema';
import {writeWalk} from './axes';
import {type Graph, inputsOf, list, type Node, num, type Operand, type ValueId, valueOf} from './ir';

export interface Channel {
  readonly value: ValueId;
  readonly index: number;
}

/** Ops whose last axis is channels, outC of them. */
const images: ReadonlySet<OpSpec> = new Set<OpSpec>([Conv2D, DepthwiseConv2D, Pool2D]);

/** Whether the node alone writes its image, without gaps. */
export function writesDense(graph: Graph, node: Node): boolean {
  const walk = writeWalk(node);
  const output = node.outputs[0] as Operand;
  if (walk === undefined || output.offset !== 0 || valueOf(graph, output.value).elems !== sizeOf(walk.shape)) return false;
  return sameWalk(walk.strides, rowMajorStrides(walk.shape), walk.shape);
}

/** The channels that a copy takes of each pixel of its source, in order; undefined where it does anything else. */
function selected(graph: Graph, copy: Node, channels: number): Channel[] | undefined {
  const {value, offset} = copy.inputs[0] as Operand;
  const {elems} = valueOf(graph, value);
  const shape = list(copy, 'shape');
  const count = (sizeOf(shape) * channels) / elems;
  if (!Number.isInteger(count) || copy.outputs[0]?.offset !== 0) return undefined;
  let pixels = 1;
  let steps = [{from: offset, to: 0}];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    const [from, to] = [list(copy, 'srcStrides')[axis] as number, list(copy, 'dstStrides')[axis] as number];
    if (size === 1) continue;
    if (from === pixels * channels && to === pixels * count) {
      pixels *= size;
    } else {
      if (size > count) return undefined;
      steps = steps.flatMap((step) => Array.from({length: size}, (_, i) => ({from: step.from + i * from, to: step.to + i * to})));
    }
  }
  const result: Channel[] = [];
  for (const {from, to} of steps) {
    if (from < 0 || from >= channels || to < 0 || to >= count || result[to] !== undefined) return undefined;
    result[to] = {value, index: from};
  }
  return pixels * channels === elems && steps.length === count ? result : undefined;
}

/** The channels that a concatenation puts side by side; undefined where it cuts through a pixel's. */
function joined(graph: Graph, concat: Node, counts: Map<ValueId, number>): Channel[] | undefined {
  const inner = list(concat, 'inner');
  const parts = concat.inputs.map((operand, i) => {
    const {value, offset} = operand as Operand;
    const count = inner[i] as number;
    const whole = offset === 0 && valueOf(graph, value).elems === num(concat, 'outer') * count;
    if (!whole || (counts.get(value) ?? count) !== count) return undefined;
    counts.set(value, count);
    return Array.from({length: count}, (_, index) => ({value, index}));
  });
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
}

export interface MovedChannels {
  /** How many channels values have. */
  readonly counts: ReadonlyMap<ValueId, number>;
  /** By copy or concatenation, in the graph's order: the channels of its operands that it puts together. */
  readonly moves: ReadonlyMap<Node, readonly Channel[]>;
}

export function movedChannels(graph: Graph): MovedChannels {
  const counts = new Map<ValueId, number>();
  const moves = new Map<Node, readonly Channel[]>();
  for (const node of graph.nodes) {
    const output = node.outputs[0]?.value as ValueId;
    const count = counts.get(node.inputs[0]?.value as ValueId);
    let channels: Channel[] | undefined;
    if (node.op === Concat) channels = joined(graph, node, counts);
    else if (node.op === StridedCopy && count !== undefined) channels = selected(graph, node, count);
    else if (images.has(node.op) && writesDense(graph, node)) counts.set(output, num(node, 'outC'));
    const isFloat = [...inputsOf(node), ...node.outputs].every(({value}) => valueOf(graph, value).dtype === 'float32');
    if (!isFloat || channels === undefined || channels.length === 0) continue;
    counts.set(output, channels.length);
    moves.set(node, channels);
  }
  return {counts, moves};
}
