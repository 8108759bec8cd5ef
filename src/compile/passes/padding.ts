import {floatBits} from '../../ops/bits';
import {Conv2D, DepthwiseConv2D, Pool2D, poolKinds} from '../../ops/convolution';
import {Pad, padModes} from '../../ops/movement';
import {Softmax} from '../../ops/reduction';
import {Editor} from '../editor';
import {isNonNegative} from '../expression';
import {formOf} from '../form';
import {type Graph, list, type Node, num, type Operand, producerOf, type Uses} from '../ir';
import type {Pass} from '../pass';
import {epilogueOf, linearOps} from './linear';

/** Whether no element of the value is below zero, whatever the inputs. */
function isNeverNegative(graph: Graph & Uses, operand: Operand | undefined): boolean {
  const node = producerOf(graph, operand);
  if (node === undefined) return false;
  if (node.op === Softmax) return node.params.logarithm !== true;
  if (node.op === Pool2D || node.op === Pad) return isNeverNegative(graph, node.inputs[0]);
  const expr = linearOps.has(node.op) ? epilogueOf(node).expr : formOf(graph, node)?.expr;
  return expr !== undefined && isNonNegative(expr);
}

/** Whether padding with this filler is what the op itself does where its window leaves the image; if not, why. */
function obstacle(graph: Graph & Uses, node: Node, pad: Node): string | undefined {
  const filler = num(pad, 'value');
  if (num(pad, 'mode') !== padModes.constant) return 'the image is mirrored';
  if (node.op !== Pool2D) return filler === 0 ? undefined : 'the filler is not 0';
  if (num(node, 'kind') !== poolKinds.max) return 'an average counts what it is padded with';
  if (filler === floatBits(Number.NEGATIVE_INFINITY)) return undefined;
  // A zero beside numbers that are not negative changes no maximum, as long as a window has one of them.
  return filler === 0 && isNeverNegative(graph, pad.inputs[0]) ? undefined : 'the filler may be a maximum';
}

/** Whether each window of the op has at least one tap in the image. */
function meetsImage(node: Node): boolean {
  const along = (axis: 'H' | 'W', pad: string) => {
    const reach = (num(node, `out${axis}`) - 1) * num(node, `stride${axis}`) - num(node, pad);
    return num(node, `dilation${axis}`) === 1 && num(node, pad) < num(node, `filter${axis}`) && reach < num(node, `in${axis}`);
  };
  return along('H', 'padTop') && along('W', 'padLeft');
}

/** The node reading what is padded and padding it itself. */
function absorb(graph: Graph & Uses, node: Node, pad: Node): Node | string {
  const problem = obstacle(graph, node, pad);
  if (problem !== undefined) return problem;
  const [batch, inH, inW, inC] = list(pad, 'shape') as readonly [number, number, number, number];
  const [beforeN, top, left, beforeC] = list(pad, 'before') as readonly [number, number, number, number];
  const [afterN, bottom, right, afterC] = list(pad, 'after') as readonly [number, number, number, number];
  const rank = list(pad, 'shape').length;
  const isImage = rank === 4 && num(node, 'inH') === inH + top + bottom && num(node, 'inW') === inW + left + right;
  if (!isImage || beforeN + afterN + beforeC + afterC > 0) return 'other axes than height and width are padded';
  const dense =
    num(node, 'xCol') === inC &&
    num(node, 'xRow') === inC * num(node, 'inW') &&
    num(node, 'xBatch') === num(node, 'xRow') * num(node, 'inH');
  if (!dense || num(node, 'inC') !== inC || num(node, 'batch') !== batch || node.inputs[0]?.offset !== 0) return 'a part of it is read';
  const padTop = num(node, 'padTop') + top;
  const padLeft = num(node, 'padLeft') + left;
  const params = {...node.params, inH, inW, padTop, padLeft, xBatch: inH * inW * inC, xRow: inW * inC};
  const result = {...node, inputs: [pad.inputs[0], ...node.inputs.slice(1)], params};
  return node.op !== Pool2D || meetsImage(result) ? result : 'a window lies wholly outside of the image';
}

export const padding: Pass = {
  name: 'padding',
  why: 'convolutions and maxima skip what lies outside of the image, so a padded copy of it is not needed',
  run(graph, {leave}) {
    const editor = new Editor(graph);
    for (const node of graph.nodes) {
      if (node.op !== Conv2D && node.op !== DepthwiseConv2D && node.op !== Pool2D) continue;
      const pad = producerOf(editor, node.inputs[0]);
      if (pad?.op !== Pad) continue;
      const absorbed = absorb(editor, node, pad);
      if (typeof absorbed === 'string') leave(pad, absorbed);
      else editor.replace(node, absorbed);
    }
    return editor.finish();
  },
};
