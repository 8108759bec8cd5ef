import {collapse, rowMajorStrides, sameWalk} from '../../ops/geometry';
import {StridedCopy} from '../../ops/movement';
import {type Access, locate, mergedStride, reachThrough, splitStride} from '../access';
import {hasAxes, readWalk, withReadStrides, withSplitBatch} from '../axes';
import {Editor} from '../editor';
import {formOf, nodeOf, readThrough} from '../form';
import {type Graph, list, type Node, type Operand, producerOf, type Uses, valueOf} from '../ir';
import type {Pass} from '../pass';

/** A dense value as strides over another one. */
export interface View {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly source: Operand;
}

/** What a StridedCopy makes dense, as a view of its source. */
export function viewOf(graph: Graph & Uses, operand: Operand | undefined): View | undefined {
  const node = producerOf(graph, operand);
  if (node?.op !== StridedCopy) return undefined;
  const shape = list(node, 'shape');
  const dense = rowMajorStrides(shape);
  const whole = node.outputs[0]?.offset === 0 && sameWalk(list(node, 'dstStrides'), dense, shape);
  return whole ? {shape, strides: list(node, 'srcStrides'), source: node.inputs[0] as Operand} : undefined;
}

/** How the node walks operand `position`; undefined where no strides say so. */
export function accessOf(graph: Graph, node: Node, position: number): Access | undefined {
  const {offset} = node.inputs[position] as Operand;
  if (node.op === StridedCopy) return {offset, shape: list(node, 'shape'), strides: list(node, 'srcStrides')};
  const form = formOf(graph, node);
  const walk = form === undefined ? readWalk(node, position) : {shape: form.shape, strides: form.inputs[position]?.strides ?? []};
  return walk && {offset, ...walk};
}

/** `node` reading operand `position` through the view; undefined where its strides cannot say so. */
export function through(graph: Graph, node: Node, position: number, view: View): Node | undefined {
  const form = formOf(graph, node);
  if (form !== undefined) {
    const direct = readThrough(form, position, view);
    return direct && nodeOf(direct, node.outputs[0] as Operand, node.notes);
  }
  if (node.op === StridedCopy) return copyThrough(node, view);
  return hasAxes(node) ? strided(node, position, view) : undefined;
}

function copyThrough(node: Node, view: View): Node | undefined {
  const shape = list(node, 'shape');
  const operand = node.inputs[0] as Operand;
  const located = locate({offset: operand.offset, shape, strides: list(node, 'srcStrides')}, view.shape);
  if (located === undefined) return undefined;
  const reach = reachThrough(located, view.strides);
  const sizes = located.parts.map((own) => own.map((p) => p.size));
  const dst = sizes.flatMap((own, axis) => splitStride(list(node, 'dstStrides')[axis] as number, own));
  const space = collapse(sizes.flat(), [reach.strides.flat(), dst]);
  if (space.shape.length > 8) return undefined;
  return {
    ...node,
    inputs: [{value: view.source.value, offset: view.source.offset + reach.offset}],
    params: {shape: space.shape, srcStrides: space.strides[0] as number[], dstStrides: space.strides[1] as number[]},
  };
}

function strided(node: Node, position: number, view: View): Node | undefined {
  const walk = readWalk(node, position);
  if (walk === undefined) return undefined;
  const operand = node.inputs[position] as Operand;
  const located = locate({offset: operand.offset, ...walk}, view.shape);
  if (located === undefined) return undefined;
  const reach = reachThrough(located, view.strides);
  const sizes = located.parts.map((own) => own.map((p) => p.size));
  const strides = reach.strides.map((own, axis) => mergedStride(sizes[axis] as number[], own));
  let target: Node | undefined = node;
  if (strides[1] === undefined && sizes[1]?.length === 2) {
    target = withSplitBatch(node, ...(sizes[1] as [number, number]));
    [strides[0], strides[1]] = reach.strides[1] as [number, number];
  }
  if (target === undefined || strides.some((s) => s === undefined)) return undefined;
  const result = withReadStrides(target, position, strides as number[]);
  if (result === undefined) return undefined;
  const source = {value: view.source.value, offset: view.source.offset + reach.offset};
  return {...result, inputs: result.inputs.map((o, i) => (i === position ? source : o))};
}

export const reads: Pass = {
  name: 'reads',
  why: 'transposes and slices become strides of what reads them',
  run(graph, {leave}) {
    const editor = new Editor(graph);
    for (const original of graph.nodes) {
      let node = original;
      for (let position = 0; position < node.inputs.length; position++) {
        const view = viewOf(editor, node.inputs[position]);
        const copy = producerOf(editor, node.inputs[position]);
        if (view === undefined || copy === undefined) continue;
        const converts = valueOf(editor, view.source.value).dtype !== valueOf(editor, (node.inputs[position] as Operand).value).dtype;
        const direct = converts ? undefined : through(editor, node, position, view);
        if (direct === undefined) {
          leave(copy, converts ? 'it changes the type' : `${node.host?.kernelName ?? node.op.name} cannot read with its strides`);
          continue;
        }
        editor.replace(node, direct);
        node = direct;
        position = -1; // a copy of a copy, or operands that were renumbered
      }
    }
    return editor.finish();
  },
};

/** `node` reading operand `position` where the view has it, whichever way the node walks it: its elements lie one after the other. */
function shifted(node: Node, position: number, {shape, strides, source}: View): Node | undefined {
  if (node.host !== undefined || !sameWalk(strides, rowMajorStrides(shape), shape)) return undefined;
  const moved = {value: source.value, offset: source.offset + (node.inputs[position] as Operand).offset};
  return {...node, inputs: node.inputs.map((o, i) => (i === position ? moved : o))};
}

export const slices: Pass = {
  name: 'slices',
  why: 'what lies together in another value is read there by ops that have no strides too',
  run(graph) {
    const editor = new Editor(graph);
    for (const original of graph.nodes) {
      let node = original;
      for (let position = 0; position < node.inputs.length; position++) {
        const view = viewOf(editor, node.inputs[position]);
        const direct = view && shifted(node, position, view);
        if (direct === undefined) continue;
        editor.replace(node, direct);
        node = direct;
      }
    }
    return editor.finish();
  },
};
