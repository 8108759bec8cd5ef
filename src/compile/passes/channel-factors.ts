import {Conv2D} from '../../ops/convolution';
import {rowMajorStrides, sameWalk} from '../../ops/geometry';
import {Pointwise} from '../../ops/pointwise';
import {call, encodeProgram, input} from '../../ops/program';
import {readWalk} from '../axes';
import {Editor} from '../editor';
import {fit, formOf, readsInOrder} from '../form';
import {type Graph, type Node, num, type Operand, onlyReader, producerOf, type Uses, valueOf} from '../ir';
import type {Pass} from '../pass';
import {hasConstantWeights} from './packing';

/**
 * Pixels for each column of the result from which it gains: weights that are computed are packed at each call. Two threads of a Xeon: 0.35 of
 * the time with 784 (EfficientNet's first block), 0.79 with 20, none with 2.
 */
const leastPixels = 8;

/** An image, and a factor for each of its channels. */
interface Factors {
  readonly image: Operand;
  readonly factors: Operand;
}

/** A 1x1 convolution of one whole image, whose weights may change. */
function isPlain(graph: Graph, node: Node): boolean {
  if (node.op !== Conv2D || num(node, 'packedFilter') !== 0 || !hasConstantWeights(graph, node)) return false;
  const isOne = ['batch', 'filterH', 'filterW', 'strideH', 'strideW', 'groups'].every((name) => num(node, name) === 1);
  const walk = readWalk(node, 0);
  return isOne && walk !== undefined && sameWalk(walk.strides, rowMajorStrides(walk.shape), walk.shape) && node.inputs[0]?.offset === 0;
}

/** What the convolution's image is a product of, if that is made for it alone. */
function factorsOf(graph: Graph & Uses, node: Node): Factors | undefined {
  const {value} = node.inputs[0] as Operand;
  const product = producerOf(graph, node.inputs[0]);
  const form = formOf(graph, product);
  if (product === undefined || form === undefined || !onlyReader(graph, value, node)) return undefined;
  const {expr, inputs} = form;
  const twoFactors = 'op' in expr && expr.op === 'Mul' && inputs.length === 2 && expr.args.every((arg) => 'input' in arg);
  const channels = num(node, 'inC');
  const fitted = twoFactors ? fit(form, [1, 1, valueOf(graph, value).elems / channels, channels]) : undefined;
  if (fitted === undefined) return undefined;
  const perChannel = fitted.strides.findIndex(([, , pixel, channel]) => pixel === 0 && channel === 1);
  const [image, factors] = [inputs[1 - perChannel], inputs[perChannel]];
  if (image === undefined || factors === undefined || !readsInOrder(form, fitted, 1 - perChannel)) return undefined;
  return {image: image.operand, factors: factors.operand};
}

export const channelFactors: Pass = {
  name: 'channel-factors',
  why: "factors of an image's channels (squeeze-excite) go into the weights of the 1x1 convolution that reads it where these are fewer than the pixels (changes the last bits of the result)",
  run(graph, {precision, choose}) {
    // Weights that are computed are not rounded when they are packed.
    if (precision.fpmath !== 'fp32' || precision.weights !== 'fp32') return graph;
    const editor = new Editor(graph);
    for (const node of graph.nodes) {
      const found = isPlain(editor, node) ? factorsOf(editor, node) : undefined;
      if (found === undefined || !choose(() => num(node, 'outH') * num(node, 'outW') >= leastPixels * num(node, 'outC'))) continue;
      const [inC, outC] = [num(node, 'inC'), num(node, 'outC')];
      const weights = {value: editor.newValue('float32', inC * outC), offset: 0};
      const scaled: Node = {
        op: Pointwise,
        inputs: [node.inputs[1], found.factors],
        outputs: [weights],
        params: {
          shape: [inC, outC],
          strides: [outC, 1, 1, 0, outC, 1],
          program: encodeProgram(call('Mul', input(0), input(1))) as number[],
        },
        notes: ['Mul', 'weights'],
      };
      editor.remove(producerOf(editor, node.inputs[0]) as Node);
      editor.replace(node, scaled, {...node, inputs: [found.image, weights, ...node.inputs.slice(2)]});
    }
    return editor.finish();
  },
};
