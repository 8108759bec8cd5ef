import {Attention, MatMul} from '../../ops/linear';
import {encodeProgram} from '../../ops/program';
import {Softmax} from '../../ops/reduction';
import {Editor} from '../editor';
import {evaluate, factorOf, inputsIn, isSmooth, partsOf, substitute} from '../expression';
import {type Form, fit, formOf, inline, readsInOrder} from '../form';
import {type Graph, list, type Node, num, type Operand, onlyReader, producerOf, type Uses, valueOf} from '../ir';
import type {Pass} from '../pass';
import {through} from './reads';

/** A product that nothing has been fused into yet. */
function plainMatMul(node: Node | undefined): node is Node {
  return node?.op === MatMul && node.inputs[2] === undefined && list(node, 'epilogue').length === 0 && num(node, 'packedB') === 0;
}

/** The scores: a product, then pointwise nodes that only lead here. `form` is over the product's block, whose input is number `product`. */
interface Scores {
  readonly matmul: Node;
  readonly form: Form;
  readonly product: number;
}

function scoresOf(graph: Graph & Uses, softmax: Node): Scores | undefined {
  let reader = softmax;
  let operand = softmax.inputs[0] as Operand;
  let form: Form = {shape: [valueOf(graph, operand.value).elems], inputs: [{operand, strides: [1]}], expr: {input: 0}};
  for (;;) {
    const producer = producerOf(graph, operand);
    if (producer === undefined || !onlyReader(graph, operand.value, reader)) return undefined;
    const product = form.inputs.findIndex((i) => i.operand.value === operand.value);
    if (plainMatMul(producer)) return {matmul: producer, form, product};
    const chain = formOf(graph, producer);
    const wider = chain && inline(form, product, chain);
    // The product's side of the chain is the one that has a product at its end.
    const next = chain?.inputs.find(
      (i) => valueOf(graph, i.operand.value).elems === valueOf(graph, operand.value).elems && leadsToProduct(graph, i.operand),
    );
    if (wider === undefined || next === undefined) return undefined;
    form = wider;
    reader = producer;
    operand = next.operand;
  }
}

function leadsToProduct(graph: Graph & Uses, operand: Operand): boolean {
  const producer = producerOf(graph, operand);
  if (producer === undefined) return false;
  if (producer.op === MatMul) return true;
  const form = formOf(graph, producer);
  if (form === undefined) return false;
  const {elems} = valueOf(graph, operand.value);
  return form.inputs.some((i) => valueOf(graph, i.operand.value).elems === elems && leadsToProduct(graph, i.operand));
}

/** scale and the number of the mask input, if the expression is scale · product + mask. */
function scaleAndMask({form, product}: Scores): {scale: number; mask: number | undefined} | undefined {
  const others = [...inputsIn(form.expr)].filter((i) => i !== product);
  if (others.length > 1 || !isSmooth(form.expr)) return undefined;
  const mask = others[0];
  const at = (p: number, m: number) => evaluate(form.expr, (part) => ('input' in part ? (part.input === product ? p : m) : undefined));
  const scale = at(1, 0);
  if (scale === undefined) return undefined;
  const points = [
    [0, 0],
    [3.7, 0],
    [-1.3, 0],
    [0, 1],
    [0, -7.3],
    [2.2, 5.1],
    [-0.6, -11],
  ] as const;
  const linear = points.every(([p, m]) => {
    const wanted = scale * p + (mask === undefined ? 0 : m);
    return Math.abs((at(p, m) as number) - wanted) <= 1e-6 * (1 + Math.abs(wanted));
  });
  return linear ? {scale: Math.fround(scale), mask} : undefined;
}

/** The batch axes and strides of the two products and the scores, cut alike. */
interface Axes {
  readonly batch: number;
  readonly heads: number;
  split(node: Node, operand: 'a' | 'b' | 'c'): readonly [number, number];
}

function axesOf(axes: readonly number[]): Axes {
  const [batch, heads] = axes as readonly [number, number];
  return {
    batch,
    heads,
    split(node, operand) {
      const outer = num(node, `${operand}Batch1`);
      const inner = num(node, `${operand}Batch2`);
      // (1, b·h) cut into (b, h): the outer stride is that of h steps.
      return num(node, 'batch1') === batch && num(node, 'batch2') === heads ? [outer, inner] : [inner * heads, inner];
    },
  };
}

export const attention: Pass = {
  name: 'attention',
  why: 'the scores never leave the cache, and their softmax and mask cost no pass over memory',
  run(graph, {leave}) {
    const editor = new Editor(graph);
    for (const second of graph.nodes) {
      if (!plainMatMul(second)) continue;
      const softmax = producerOf(editor, second.inputs[0]);
      if (softmax?.op !== Softmax || softmax.params.logarithm === true) continue;
      const probabilities = second.inputs[0] as Operand;
      const scores = scoresOf(editor, softmax);
      if (scores === undefined || !onlyReader(editor, probabilities.value, second)) {
        leave(softmax, 'the scores or their softmax have other readers');
        continue;
      }
      const fused = fuse(scores, softmax, second);
      if (typeof fused === 'string') leave(softmax, fused);
      else
        editor.replace(
          second,
          [0, 1].reduce((node, position) => withFactor(editor, node, position), fused),
        );
    }
    return editor.finish();
  },
};

/** `node` with the factor by which its queries or keys have been multiplied in its scale: the scores are linear in both. */
function withFactor(graph: Graph & Uses, node: Node, position: number): Node {
  const form = formOf(graph, producerOf(graph, node.inputs[position]));
  const [source, ...others] = form?.inputs ?? [];
  if (form === undefined || source === undefined || others.length > 0) return node;
  const factor = factorOf(form.expr, 0);
  if (factor === undefined || !Number.isFinite(factor)) return node;
  const direct = through(graph, node, position, {shape: form.shape, strides: source.strides, source: source.operand});
  return direct === undefined ? node : {...direct, params: {...direct.params, scale: Math.fround(num(node, 'scale') * factor)}};
}

function fuse(scores: Scores, softmax: Node, second: Node): Node | string {
  const first = scores.matmul;
  const [queries, keys, depth] = [num(first, 'rowsM'), num(first, 'colsN'), num(first, 'depthK')];
  const batches = num(first, 'batch1') * num(first, 'batch2');
  const same =
    num(second, 'batch1') * num(second, 'batch2') === batches && num(second, 'rowsM') === queries && num(second, 'depthK') === keys;
  if (!same || num(softmax, 'cols') !== keys) return 'the softmax does not run over the keys';
  const denseScores = num(second, 'aRow') === keys && num(second, 'aCol') === 1 && (second.inputs[0] as Operand).offset === 0;
  if (!denseScores) return 'the probabilities are read with strides';
  if (num(first, 'aCol') !== 1 || num(first, 'bRow') !== 1 || num(second, 'bCol') !== 1)
    return 'the depth axis of queries, keys or values is not contiguous';
  const fitted = fit(scores.form, [num(first, 'batch1'), num(first, 'batch2'), queries, keys]);
  if (fitted === undefined) return 'a mask varies along more axes than batch, head, query and key';
  if (!readsInOrder(scores.form, fitted, scores.product)) return 'the scores are read in another order';
  const {batch, heads, split} = axesOf(fitted.axes);
  const [queryBatch, queryHead] = split(first, 'a');
  const [keyBatch, keyHead] = split(first, 'b');
  const [valueBatch, valueHead] = split(second, 'b');
  const [outBatch, outHead] = split(second, 'c');
  const linear = scaleAndMask(scores);
  const maskStrides = linear?.mask === undefined ? [0, 0, 0, 0] : (fitted.strides[linear.mask] as readonly number[]);
  const [maskBatch, maskHead, maskRow, maskCol] = maskStrides as readonly [number, number, number, number];
  const extras = linear === undefined ? scores.form.inputs.flatMap((_, i) => (i === scores.product ? [] : [i])) : [];
  const program = linear === undefined ? scoreProgram(scores, extras) : [];
  if (program === undefined) return 'what follows the scores does not fit into one program';
  const mask = linear?.mask === undefined ? undefined : scores.form.inputs[linear.mask]?.operand;
  return {
    op: Attention,
    inputs: [first.inputs[0], first.inputs[1], second.inputs[1], mask, ...extras.map((i) => scores.form.inputs[i]?.operand)],
    outputs: second.outputs,
    params: {
      batch,
      heads,
      queries,
      keys,
      depth,
      valueDepth: num(second, 'colsN'),
      scale: linear?.scale ?? 1,
      causal: false,
      causalOffset: 0,
      queryBatch,
      queryHead,
      queryRow: num(first, 'aRow'),
      keyBatch,
      keyHead,
      keyRow: num(first, 'bCol'),
      valueBatch,
      valueHead,
      valueRow: num(second, 'bRow'),
      maskBatch,
      maskHead,
      maskRow,
      maskCol,
      outBatch,
      outHead,
      outRow: num(second, 'cRow'),
      epilogue: program,
      epilogueStrides: extras.flatMap((i) => fitted.strides[i] as readonly number[]),
    },
    notes: [...(mask === undefined ? [] : ['mask']), ...scoreNotes(scores, linear === undefined)],
  };
}

/** The scores' expression as a program whose input 0 is the product and whose others are `extras`. */
function scoreProgram({form, product}: Scores, extras: readonly number[]): number[] | undefined {
  const numbers = new Map([[product, 0], ...extras.map((i, k): [number, number] => [i, k + 1])]);
  const renumbered = substitute(form.expr, (i) => ({input: numbers.get(i) as number}));
  return 'op' in renumbered ? encodeProgram(renumbered) : [];
}

function scoreNotes({form}: Scores, general: boolean): string[] {
  if (!general) return [];
  return [...new Set([...partsOf(form.expr)].flatMap((part) => ('op' in part ? [part.op] : [])))];
}
