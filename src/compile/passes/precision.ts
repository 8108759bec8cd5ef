import {native} from '../../native';
import {DepthwiseConv2D} from '../../ops/convolution';
import {packLayouts} from '../../ops/linear';
import {Recurrence} from '../../ops/recurrence';
import {Editor} from '../editor';
import type {Node} from '../ir';
import type {Pass, PassContext} from '../pass';
import {type Packing, packingOf, packWeights} from './packing';
import {winogradGain} from './winograd';

/** How much faster than a direct convolution in float32 a product in bfloat16 is, in vectors and in tiles: what Winograd's form has to beat. */
const bf16Gains = {vectors: 1.9, tiles: 6};

/** Whether the instruction set has a matrix unit. */
const multipliesTiles = (): boolean => native().gainsBySplitting(1024, 1024, 1024);

/** Why the node stays in float32 although its weights could be rounded. */
function keepsFloat32(node: Node, packing: Packing, {precision, choose}: PassContext): string | undefined {
  if (node.op === Recurrence) return 'the roundings of each step would go into the next one';
  if (native().packedElems(packing.layout, packing.rowsK, packing.colsN, packing.taps) === 0)
    return `this instruction set has no products in ${precision.weights === 'int8' ? 'int8, or none so deep' : 'bfloat16'}`;
  const gain = precision.weights === 'int8' ? 0 : choose(() => winogradGain(node));
  return gain > (multipliesTiles() ? bf16Gains.tiles : bf16Gains.vectors) ? 'Winograd in float32 takes less time' : undefined;
}

export const precision: Pass = {
  name: 'precision',
  why: "fpmath 'bf16' and weights 'int8': products and convolutions with constant weights round their operands; sums stay exact",
  run(graph, context) {
    const {fpmath, weights} = context.precision;
    if (fpmath === 'fp32' && weights === 'fp32') return graph;
    const name = weights === 'int8' ? 'int8' : 'bf16';
    const layout = weights === 'int8' ? packLayouts.gemmInt8 : packLayouts.gemmBf16;
    const editor = new Editor(graph);
    for (const node of graph.nodes) {
      if (node.op === DepthwiseConv2D) context.refuse(node, `${name}: a depthwise filter meets each element once: rounding gains nothing`);
      const plain = packingOf(editor, node);
      if (plain === undefined) continue;
      const packing = {...plain, layout};
      const reason = keepsFloat32(node, packing, context);
      if (reason === undefined) packWeights(editor, node, packing, context, name);
      else context.refuse(node, `${name}: ${reason}`);
    }
    return editor.finish();
  },
};
