import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {compile, loadGraphModel} from '../../src';
import {mend, type NodeDef} from '../../src/compile/mend';

const float = {dtype: {type: 'DT_FLOAT'}, shape: {shape: {unknownRank: true}}};
const node = (name: string, op: string, input: readonly string[] = [], attr: NodeDef['attr'] = {}): NodeDef => ({name, op, input, attr});
const nodesOf = (topology: object) => (topology as {node: NodeDef[]}).node;

/** tf.cond(x > 0, 1, 2) as TensorFlow lowers it, its branches being constants. */
const constantBranches = [
  node('x', 'Placeholder', [], float),
  node('zero', 'Const', [], {dtype: {type: 'DT_FLOAT'}}),
  node('greater', 'Greater', ['x', 'zero']),
  node('switch', 'Switch', ['greater', 'greater']),
  node('if_true', 'Identity', ['switch:1']),
  node('if_false', 'Identity', ['switch']),
  node('one', 'Const', ['^if_true'], {dtype: {type: 'DT_FLOAT'}}),
  node('two', 'Const', ['^if_false'], {dtype: {type: 'DT_FLOAT'}}),
  node('merge', 'Merge', ['two', 'one']),
  node('result', 'Identity', ['merge']),
];

async function load(nodes: readonly NodeDef[], weights: Readonly<Record<string, readonly number[]>>) {
  const specs = Object.entries(weights).map(([name, values]) => ({
    name,
    dtype: 'float32' as const,
    shape: values.length === 1 ? [] : [values.length],
  }));
  const weightData = Float32Array.from(Object.values(weights).flat()).buffer;
  return loadGraphModel({load: async () => ({modelTopology: {node: nodes, versions: {producer: 1}}, weightSpecs: specs, weightData})});
}

describe('mend', () => {
  before(() => tf.setBackend('graviton'));

  it('leaves a topology without a known cause as it is', () => {
    const topology = {node: [node('x', 'Placeholder'), node('y', 'Relu', ['x'])], versions: {}};
    expect(mend(topology)).to.equal(topology);
  });

  it('takes control inputs from variadic nodes', () => {
    const [, , pack] = nodesOf(mend({node: [node('a', 'Placeholder'), node('b', 'NoOp'), node('pack', 'Pack', ['a', 'a', '^b'])]}));
    expect(pack?.input).to.deep.equal(['a', 'a']);
  });

  it('makes constants of a branch wait for the branch', async () => {
    const model = await load(constantBranches, {zero: [0], one: [1], two: [2]});
    for (const [x, wanted] of [
      [5, 1],
      [-5, 2],
    ] as const) {
      const result = (await model.executeAsync({x: tf.scalar(x)}, 'result')) as tf.Tensor;
      expect(result.dataSync()[0]).to.equal(wanted);
    }
    model.dispose();
  });

  it('leaves the constants of loops to the loop', () => {
    const loop = [
      node('cond', 'LoopCond', ['p']),
      node('s', 'Switch', ['v', 'cond']),
      node('body', 'Identity', ['s:1']),
      node('c', 'Const', ['^body']),
    ];
    expect(nodesOf(mend({node: loop})).map((n) => n.op)).to.deep.equal(['LoopCond', 'Switch', 'Identity', 'Const']);
  });

  it('reads both parameters of MatrixBandPart', async () => {
    const model = await load(
      [node('x', 'Placeholder', [], float), node('low', 'Const'), node('up', 'Const'), node('band', 'MatrixBandPart', ['x', 'low', 'up'])],
      {low: [-1], up: [0]},
    );
    const band = model.execute({x: tf.ones([2, 2])}, 'band') as tf.Tensor;
    expect([...band.dataSync()]).to.deep.equal([1, 0, 1, 1]);
    model.dispose();
  });

  it('normalises by the batch where is_training says so', async () => {
    const attr = {is_training: {b: true}, epsilon: {f: 0}, T: {type: 'DT_FLOAT'}};
    const model = await load(
      [
        node('x', 'Placeholder', [], float),
        node('g', 'Const'),
        node('o', 'Const'),
        node('e', 'Const'),
        node('norm', 'FusedBatchNormV3', ['x', 'g', 'o', 'e', 'e'], attr),
      ],
      {g: [1, 2], o: [0, 1], e: [0, 0]},
    );
    const y = model.execute({x: tf.tensor4d([1, 10, 3, 30], [1, 2, 1, 2])}, 'norm') as tf.Tensor;
    expect([...y.dataSync()].map((v) => Math.round(v * 1e5) / 1e5)).to.deep.equal([-1, -1, 1, 3]);
    model.dispose();
  });

  describe('ops whose stock executors fetch whole tensors', () => {
    const x = node('x', 'Placeholder', [], float);

    it('Where: positions, of which only the count is read', async () => {
      const model = await load([x, node('where', 'Where', ['x'])], {});
      for (const [shape, elements] of [
        [[6], [0, 1, 0, Number.NaN, -2, 0]],
        [
          [2, 3],
          [1, 0, 0, 0, 1, 1],
        ],
        [
          [2, 1, 2],
          [0, 0, 3, 0],
        ],
        [[3], [0, 0, 0]],
        [[0, 2], []],
      ] as const) {
        const input = tf.tensor(elements as readonly number[] as number[], shape as readonly number[] as number[]);
        const got = model.execute({x: input}, 'where') as tf.Tensor;
        const wanted = await tf.whereAsync(tf.cast(input, 'bool'));
        expect(got.shape).to.deep.equal(wanted.shape);
        expect(got.dtype).to.equal('int32');
        expect([...got.dataSync()]).to.deep.equal([...wanted.dataSync()]);
      }
      model.dispose();
    });

    it('Where: one plan for each count', async () => {
      const model = await load([x, node('where', 'Where', ['x'])], {});
      const fast = compile(model);
      const call = (...elements: number[]) => tf.tidy(() => [...(fast.predict(tf.tensor1d(elements)) as tf.Tensor).dataSync()]);
      expect([call(0, 1, 0), call(1, 0, 0), call(0, 0, 1), call(1, 0, 1), call(0, 0, 0)]).to.deep.equal([[1], [0], [2], [0, 2], []]);
      expect(fast.explain().plans[0]).to.deep.include({guards: ['int32[1]: 1 | 2 | 0'], tails: []});
      expect(fast.stats()).to.include({hits: 2, misses: 3});
      fast.dispose();
      model.dispose();
    });

    it('ListDiff', async () => {
      const model = await load([x, node('y', 'Placeholder', [], float), node('diff', 'ListDiff', ['x', 'y'])], {});
      const call = (a: number[], b: number[]) =>
        (model.execute({x: tf.tensor1d(a), y: tf.tensor1d(b)}, ['diff', 'diff:1']) as tf.Tensor[]).map((t) => [...t.dataSync()]);
      expect(call([1, 2, 3, 4, 5, 6, 2], [1, 3, 5])).to.deep.equal([
        [2, 4, 6, 2],
        [1, 3, 5, 6],
      ]);
      expect(call([1, 2], [2, 1])).to.deep.equal([[], []]);
      model.dispose();
    });

    for (const [op, parameters, outputs, attr] of [
      ['NonMaxSuppressionV2', ['most', 'iou'], ['nms'], {}],
      ['NonMaxSuppressionV3', ['most', 'iou', 'score'], ['nms'], {}],
      ['NonMaxSuppressionV4', ['most', 'iou', 'score'], ['nms', 'nms:1'], {pad_to_max_output_size: {b: true}}],
      ['NonMaxSuppressionV5', ['most', 'iou', 'score', 'sigma'], ['nms', 'nms:1'], {}],
    ] as const) {
      it(op, async () => {
        const constants = parameters.map((name) => node(name, 'Const'));
        const nodes = [x, node('scores', 'Placeholder', [], float), ...constants, node('nms', op, ['x', 'scores', ...parameters], attr)];
        const values = {most: [3], iou: [op.endsWith('V5') ? 0.95 : 0.5], score: [0.2], sigma: [0.5]};
        const model = await load(nodes, Object.fromEntries(parameters.map((name) => [name, values[name]])));
        const boxes = tf.tensor2d([0, 0, 1, 1, 0, 0, 1, 0.9, 0, 2, 1, 3, 0, 4, 1, 5], [4, 4]);
        const scores = tf.tensor1d([0.8, 0.9, 0.7, 0.1]);
        const got = [model.execute({x: boxes, scores}, [...outputs])].flat().map((t) => [...t.dataSync()]);
        const wanted = {
          NonMaxSuppressionV2: [[1, 2, 3]],
          NonMaxSuppressionV3: [[1, 2]],
          NonMaxSuppressionV4: [[1, 2, 0], [2]],
          NonMaxSuppressionV5: [[1, 2, 0], [0.9, 0.7, 0.8 * Math.exp(-0.81)].map(Math.fround)],
        }[op];
        const round = (lists: number[][]) => lists.map((list) => list.map((v) => Math.round(v * 1e5) / 1e5));
        expect(round(got)).to.deep.equal(round(wanted));
        model.dispose();
      });
    }
  });

  it('mends the bodies of functions', () => {
    const body = [node('a', 'Placeholder'), node('n', 'NoOp'), node('pack', 'Pack', ['a', '^n'])];
    const mended = mend({node: [], library: {function: [{nodeDef: body}]}}) as {library: {function: {nodeDef: NodeDef[]}[]}};
    expect(mended.library.function[0]?.nodeDef[2]?.input).to.deep.equal(['a']);
  });
});
