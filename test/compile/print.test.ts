import {expect} from 'chai';
import {parseExpression, printExpression} from '../../src/compile/expression-text';
import {parseGraph, printGraph} from '../../src/compile/print';
import {call, decodeProgram, encodeProgram, f32, i32, input} from '../../src/ops/program';

describe('compile: graphs as text', () => {
  const expressions = [
    'Mul(x0, Add(x1, 0.5))',
    'Mul(t0: Sub(x0, x1), t0)',
    'Add(t0: Exp(t1: Neg(x0)), Mul(t0, t1))',
    'Select(LessInt(x0, -7), 0.044715, -0)',
    'ToFloat(AddInt(x2, 2147483647))',
    'Maximum(x0, -Infinity)',
    'MulAdd(x0, 1e-12, NaN)',
    'Copy(x31)',
  ];
  for (const text of expressions) {
    it(`reads and writes ${text}`, () => {
      const expr = parseExpression(text);
      expect(printExpression(expr)).to.equal(text);
      const words = encodeProgram(expr) as number[];
      expect(printExpression(decodeProgram(words))).to.equal(text);
      expect(encodeProgram(parseExpression(printExpression(decodeProgram(words))))).to.deep.equal(words);
    });
  }

  it('takes numbers for what the function takes', () => {
    expect(parseExpression('Select(1, 1, 2)')).to.deep.equal(call('Select', i32(1), f32(1), f32(2)));
    expect(parseExpression('Mul(x0, 0.1)')).to.deep.equal(call('Mul', input(0), f32(Math.fround(0.1))));
  });

  for (const text of ['Mul(x0)', 'Mul(x0, x1', 'Times(x0, x1)', 'Mul(x0, x1) x2', 'Neg(t0)', 'Mul(x0 x1)', '']) {
    it(`refuses '${text}'`, () => {
      expect(() => parseExpression(text)).to.throw(/not an expression/);
    });
  }

  const graph = `
    inputs: v0 float32[8], v1 int32[2]
    constants: v2 float32[12] = c0
    v3 float32[6] = MatMul(v0, v2@4, -) {batch1: 1, batch2: 1, rowsM: 2, colsN: 3, depthK: 4, aRow: 4, aCol: 1, bRow: 2, bCol: 1, cRow: 3, epilogue: Relu(x0)} # Relu
    v6 float32[2]@1 = Fill() {count: 1}
    v6 = Fill() {count: 1, value: 1065353216}
    v4 float32[2], v5 int32[2] = TopK(v3) {rows: 2, cols: 3, k: 1}
    outputs: v5, v3, v6`;

  it('reads and writes graphs', () => {
    const parsed = parseGraph(graph);
    expect(printGraph(parsed)).to.equal(
      graph
        .trim()
        .split('\n')
        .map((line) => line.trim())
        .join('\n'),
    );
    expect(parsed.nodes[0]?.params).to.include({packedB: 0, aBatch1: 0});
    expect(parsed.nodes[0]?.inputs).to.deep.equal([{value: 0, offset: 0}, {value: 2, offset: 4}, undefined]);
    expect(parsed.nodes[1]?.outputs).to.deep.equal([{value: 6, offset: 1}]);
  });

  it('refuses what it does not understand', () => {
    expect(() => parseGraph('v1 float32[1] = Mystery(v0) {}')).to.throw(/not a node/);
    expect(() => parseGraph('inputs: x0')).to.throw(/not a value/);
    expect(() => parseGraph('v1 float32[1] = Fill() {size: 1}')).to.throw(/Fill has no parameter/);
  });
});
