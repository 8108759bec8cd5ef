import {native} from '../../native';
import {Conv2D} from '../../ops/convolution';
import {MatMul, packedTypes, packLayouts} from '../../ops/linear';
import {Recurrence} from '../../ops/recurrence';
import {Editor} from '../editor';
import {type Graph, type Node, num, type Operand, valueOf} from '../ir';
import type {Pass, PassContext} from '../pass';

/** How one operand's weights are packed (PackWeights), and which parameter of the op says so. */
export interface Packing {
  readonly parameter: string;
  readonly layout: number;
  readonly rowsK: number;
  readonly colsN: number;
  readonly rowStride: number;
  readonly colStride: number;
  readonly taps: number;
}

const weights = 1;

/** Notes of steps that say how weights are packed, not what was fused: packWeights() is given no others. */
export const isPackingNote = (note: string): boolean => /^(packed|bf16|int8|Winograd .*)$/.test(note);

/** Whether the node's second operand is a whole constant. */
export function hasConstantWeights(graph: Graph, node: Node): boolean {
  const operand = node.inputs[weights];
  return operand !== undefined && operand.offset === 0 && valueOf(graph, operand.value).constant !== undefined;
}

/** Replaces the node's constant weights by their packed form; says false where there is none. */
export function packWeights(editor: Editor, node: Node, packing: Packing, {pool, inherit}: PassContext, note: string): boolean {
  const {parameter, layout, rowsK, colsN, rowStride, colStride, taps} = packing;
  const elems = native().packedElems(layout, rowsK, colsN, taps);
  if (elems === 0) return false;
  const plain = (node.inputs[weights] as Operand).value;
  const source = valueOf(editor, plain).constant as number;
  const isLast = editor.readers[plain]?.length === 1 && !editor.isOutput[plain];
  const dtype = packedTypes[layout] ?? 'float32';
  const packed = pool.pack(source, dtype, elems, {layout, rowsK, colsN, rowStride, colStride, taps}, isLast);
  const value = editor.newValue(dtype, elems, packed);
  const next: Node = {
    ...node,
    inputs: node.inputs.map((o, i) => (i === weights ? {value, offset: 0} : o)),
    params: {...node.params, [parameter]: layout},
    notes: [...(node.notes ?? []), note],
  };
  editor.replace(node, next);
  inherit(node, next);
  return true;
}

/** Whether all products of a MatMul's batch take the same second matrix. */
export function takesOneMatrix(node: Node): boolean {
  return (num(node, 'batch1') === 1 || num(node, 'bBatch1') === 0) && (num(node, 'batch2') === 1 || num(node, 'bBatch2') === 0);
}

/** How the node's weights are packed without rounding, if they are a constant and one matrix for all batches. */
export function packingOf(graph: Graph, node: Node): Packing | undefined {
  if (!hasConstantWeights(graph, node)) return undefined;
  if (node.op === MatMul && num(node, 'packedB') === 0) {
    if (!takesOneMatrix(node)) return undefined;
    const [rowsK, colsN] = [num(node, 'depthK'), num(node, 'colsN')];
    return {
      parameter: 'packedB',
      layout: packLayouts.gemmF32,
      rowsK,
      colsN,
      rowStride: num(node, 'bRow'),
      colStride: num(node, 'bCol'),
      taps: 1,
    };
  }
  if (node.op === Recurrence && num(node, 'packedB') === 0) {
    const [rowsK, colsN] = [num(node, 'units'), num(node, 'gates') * num(node, 'units')];
    const [rowStride, colStride] = [num(node, 'bRow'), num(node, 'bCol')];
    return {parameter: 'packedB', layout: packLayouts.gemmF32, rowsK, colsN, rowStride, colStride, taps: 1};
  }
  if (node.op === Conv2D && num(node, 'packedFilter') === 0 && num(node, 'groups') === 1) {
    const rowsK = num(node, 'inC');
    const [colsN, taps] = [num(node, 'outC'), num(node, 'filterH') * num(node, 'filterW')];
    return {parameter: 'packedFilter', layout: packLayouts.gemmF32, rowsK, colsN, rowStride: colsN, colStride: 1, taps};
  }
  return undefined;
}

export const packing: Pass = {
  name: 'packing',
  why: 'weights are copied once into the layout that this processor reads in order',
  run(graph, context) {
    const editor = new Editor(graph);
    for (const node of graph.nodes) {
      const packing = packingOf(editor, node);
      if (packing === undefined) continue;
      if (packWeights(editor, node, packing, context, 'packed')) continue;
      context.refuse(node, `packing: there is no packed layout for weights of ${packing.rowsK} x ${packing.colsN}`);
    }
    return editor.finish();
  },
};
