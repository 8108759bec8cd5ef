import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {loadGraphModel} from '../../src';
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

  it('mends the bodies of functions', () => {
    const body = [node('a', 'Placeholder'), node('n', 'NoOp'), node('pack', 'Pack', ['a', '^n'])];
    const mended = mend({node: [], library: {function: [{nodeDef: body}]}}) as {library: {function: {nodeDef: NodeDef[]}[]}};
    expect(mended.library.function[0]?.nodeDef[2]?.input).to.deep.equal(['a']);
  });
});
