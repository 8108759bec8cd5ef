import {Conv2D} from '../../ops/convolution';
import {MatMul, packLayouts} from '../../ops/linear';
import {native} from '../../native';
import {Editor} from '../editor';
import {type Graph, type Node, num, type Operand, valueOf} from '../ir';
import type {Pass} from '../pass';

interface Packing {
  readonly parameter: string;
  readonly layout: number;
  readonly rowsK: number;
  readonly colsN: number;
  readonly rowStride: number;
  readonly colStride: number;
  readonly taps: number;
}

const weights = 1;

/** How the node's weights are packed, if they are one matrix for all batches. */
function packingOf(graph: Graph, node: Node): Packing | undefined {
  const operand = node.inputs[weights];
  if (operand === undefined || operand.offset !== 0 || valueOf(graph, operand.value).constant === undefined) return undefined;
  if (node.op === MatMul && num(node, 'packedB') === 0) {
    const oneMatrix = (num(node, 'batch1') === 1 || num(node, 'bBatch1') === 0) && (num(node, 'batch2') === 1 || num(node, 'bBatch2') === 0);
    if (!oneMatrix) return undefined;
    const [rowsK, colsN] = [num(node, 'depthK'), num(node, 'colsN')];
    return {parameter: 'packedB', layout: packLayouts.gemmF32, rowsK, colsN, rowStride: num(node, 'bRow'), colStride: num(node, 'bCol'), taps: 1};
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
  run(graph, {pool, refuse}) {
    const editor = new Editor(graph);
    for (const node of graph.nodes) {
      const packing = packingOf(editor, node);
      if (packing === undefined) continue;
      const {parameter, layout, rowsK, colsN, rowStride, colStride, taps} = packing;
      const operand = node.inputs[weights] as Operand;
      const elems = native().packedElems(layout, rowsK, colsN, taps);
      if (elems === 0) {
        refuse(node, `packing: there is no packed layout for weights of ${rowsK} x ${colsN}`);
        continue;
      }
      const source = valueOf(editor, operand.value).constant as number;
      const isLast = editor.readers[operand.value]?.length === 1 && !editor.isOutput[operand.value];
      const packed = pool.pack(source, elems, {layout, rowsK, colsN, rowStride, colStride, taps}, isLast);
      const value = editor.newValue('float32', elems, packed);
      editor.replace(node, {
        ...node,
        inputs: node.inputs.map((o, i) => (i === weights ? {value, offset: 0} : o)),
        params: {...node.params, [parameter]: layout},
        notes: [...(node.notes ?? []), 'packed'],
      });
    }
    return editor.finish();
  },
};
