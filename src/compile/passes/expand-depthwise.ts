import {Conv2D, DepthwiseConv2D, ExpandDepthwiseConv2D} from '../../ops/convolution';
import {packLayouts} from '../../ops/linear';
import {Editor} from '../editor';
import {type Graph, list, type Node, num, type Operand, onlyReader, producerOf, type Uses} from '../ir';
import type {Pass, PassContext} from '../pass';

/** Elements of an expanded image that the L2 cache of a core does not hold beside what else a step reads and writes. */
const leastElems = 1 << 18;

/** The 1x1 convolution, its weights packed without rounding, that makes the image of a depthwise one and nothing else. */
function expansionOf(graph: Graph & Uses, node: Node): Node | undefined {
  if (node.op !== DepthwiseConv2D || num(node, 'multiplier') !== 1) return undefined;
  const expansion = producerOf(graph, node.inputs[0]);
  if (expansion?.op !== Conv2D || num(expansion, 'packedFilter') !== packLayouts.gemmF32) return undefined;
  const isPointwise = ['filterH', 'filterW', 'strideH', 'strideW', 'groups'].every((name) => num(expansion, name) === 1);
  if (!isPointwise || num(expansion, 'padTop') !== 0 || num(expansion, 'padLeft') !== 0) return undefined;
  return onlyReader(graph, (node.inputs[0] as Operand).value, node) ? expansion : undefined;
}

/** Why the two stay two steps; undefined: they need not. */
function obstacle(expansion: Node, node: Node, {choose}: PassContext): string | undefined {
  const [inH, inW, inC] = [num(node, 'inH'), num(node, 'inW'), num(node, 'inC')];
  const isWhole = num(expansion, 'outH') === inH && num(expansion, 'outW') === inW && num(expansion, 'outC') === inC;
  const isDense = num(node, 'xCol') === inC && num(node, 'xRow') === inC * inW && num(node, 'xBatch') === inC * inW * inH;
  const isWritten = ['yBatch', 'yRow', 'yCol'].every((name) => num(expansion, name) === num(node, name.replace('y', 'x')));
  if (!isWhole || !isDense || !isWritten || node.inputs[0]?.offset !== 0) return 'a part of the expanded image is read';
  if (expansion.inputs.length > 3) return 'what follows the expansion reads other tensors';
  if (choose(() => inH * inW * inC < leastElems)) return 'the expanded image fits into the cache';
  return undefined;
}

export const expandDepthwise: Pass = {
  name: 'expand-depthwise',
  why: 'an image that a 1x1 convolution expands for a depthwise one, too large for the cache, is made and read in bands of rows',
  run(graph, context) {
    const editor = new Editor(graph);
    for (const node of graph.nodes) {
      const expansion = expansionOf(editor, node);
      if (expansion === undefined) continue;
      const problem = obstacle(expansion, node, context);
      if (problem !== undefined) {
        context.refuse(node, `expand-depthwise: ${problem}`);
        continue;
      }
      const [x, filter, bias] = expansion.inputs;
      const {multiplier: _, ...image} = node.params;
      const [xBatch, xRow, xCol] = [num(expansion, 'xBatch'), num(expansion, 'xRow'), num(expansion, 'xCol')];
      const next: Node = {
        op: ExpandDepthwiseConv2D,
        inputs: [x, filter, bias, ...node.inputs.slice(1)],
        outputs: node.outputs,
        params: {
          ...image,
          ...{xBatch, xRow, xCol, depthK: num(expansion, 'inC'), packedFilter: packLayouts.gemmF32},
          expansion: list(expansion, 'epilogue'),
        },
        notes: [...(expansion.notes ?? []), ...(node.notes ?? [])],
      };
      editor.replace(node, next);
      editor.remove(expansion);
    }
    return editor.finish();
  },
};
