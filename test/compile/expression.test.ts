import {expect} from 'chai';
import fc from 'fast-check';
import {
  evaluate,
  inputsIn,
  isIdentity,
  isSmooth,
  occurrences,
  partsOf,
  recogniseActivations,
  substitute,
} from '../../src/compile/expression';
import {parseExpression, printExpression} from '../../src/compile/expression-text';
import {simplify} from '../../src/compile/simplify';
import type {Expr} from '../../src/ops/program';
import {holds, seed} from './seed';

const at = (text: string, ...inputs: number[]) =>
  evaluate(parseExpression(text), (part) => ('input' in part ? inputs[part.input] : undefined));

describe(`compile: expressions (seed ${seed})`, () => {
  describe('recognises', () => {
    const becomes = (text: string, wanted: string) =>
      it(text, () => expect(printExpression(recogniseActivations(parseExpression(text)))).to.equal(wanted));

    // transformers (BERT), Keras, and with a division.
    becomes('Mul(Mul(x0, 0.5), Add(Erf(Div(x0, 1.4142135)), 1))', 'GeluErf(x0)');
    becomes('Mul(x0, Mul(0.5, Add(1, Erf(Mul(x0, 0.70710677)))))', 'GeluErf(x0)');
    becomes('Mul(Mul(Add(Erf(Div(x0, 1.4142135)), 1), 0.5), x0)', 'GeluErf(x0)');
    becomes('Div(Mul(x0, Add(1, Erf(Mul(x0, 0.70710677)))), 2)', 'GeluErf(x0)');
    // GPT-2, and with x · x · x.
    becomes('Mul(Mul(x0, 0.5), Add(Tanh(Mul(Add(x0, Mul(Pow(x0, 3), 0.044715)), 0.7978846)), 1))', 'GeluTanh(x0)');
    becomes('Mul(Mul(0.5, x0), Add(1, Tanh(Mul(Mul(x0, 0.7978846), Add(1, Mul(Mul(x0, x0), 0.044715))))))', 'GeluTanh(x0)');
    becomes('Mul(x0, Sigmoid(x0))', 'Silu(x0)');
    becomes('Div(x0, Add(1, Exp(Neg(x0))))', 'Silu(x0)');
    becomes('Mul(x0, Div(Relu6(Add(x0, 3)), 6))', 'HardSwish(x0)');
    becomes('Mul(Mul(x0, Relu6(Add(x0, 3))), 0.16666667)', 'HardSwish(x0)');
    becomes('Div(Relu6(Add(x0, 3)), 6)', 'HardSigmoid(x0)');
    // Mish, with softplus as one function and as two or three.
    const mish = 'Mul(x0, Div(t0: Mul(t1: Exp(Minimum(x0, 20)), Add(t1, 2)), Add(t0, 2)))';
    becomes('Mul(x0, Tanh(Softplus(x0)))', mish);
    becomes('Mul(Tanh(Log1p(Exp(x0))), x0)', mish);
    becomes('Mul(x0, Tanh(Log(Add(1, Exp(x0)))))', mish);
    // Multiples.
    becomes('Mul(x0, Add(Erf(Mul(x0, 0.70710677)), 1))', 'Mul(2, GeluErf(x0))');
    becomes('Mul(Mul(Mul(x0, 0.5), Add(1, Erf(Mul(x0, 0.70710677)))), -1.75)', 'Mul(-1.75, GeluErf(x0))');
    becomes('Div(Relu6(Add(x0, 3)), 5)', 'Mul(1.2, HardSigmoid(x0))');
    // Of a part, and inside a larger expression.
    becomes('Add(x1, Mul(t0: Add(x0, x1), Sigmoid(t0)))', 'Add(x1, Silu(Add(x0, x1)))');
    becomes('Mul(t0: Mul(x0, Sigmoid(x0)), Sigmoid(t0))', 'Silu(Silu(x0))');
  });

  describe('leaves', () => {
    const stays = (why: string, text: string) =>
      it(`${text}: ${why}`, () => expect(printExpression(recogniseActivations(parseExpression(text)))).to.equal(text));

    stays('1 / √2 in three digits', 'Mul(Mul(x0, 0.5), Add(Erf(Mul(x0, 0.707)), 1))');
    stays('the complement', 'Mul(Mul(x0, 0.5), Sub(1, Erf(Mul(x0, 0.70710677))))');
    stays('two variables', 'Mul(Mul(x0, 0.5), Add(Erf(Mul(x1, 0.70710677)), 1))');
    stays('0.0447 for 0.044715', 'Mul(Mul(x0, 0.5), Add(Tanh(Mul(Add(x0, Mul(Pow(x0, 3), 0.0447)), 0.7978846)), 1))');
    stays('a square for a cube', 'Mul(Mul(x0, 0.5), Add(Tanh(Mul(Add(x0, Mul(Pow(x0, 2), 0.044715)), 0.7978846)), 1))');
    stays('swish with a factor of 1.702', 'Mul(x0, Sigmoid(Mul(x0, 1.702)))');
    stays('tanh of softplus', 'Mul(x0, Tanh(Softplus(x1)))');
    stays('mish of half of its argument', 'Mul(x0, Tanh(Softplus(Mul(x0, 0.5))))');
    stays('a gate', 'Mul(x0, Sigmoid(x1))');
    stays('hard-swish around 2.5', 'Mul(x0, Div(Relu6(Add(x0, 2.5)), 6))');
    stays('hard-sigmoid as Keras has it', 'Relu6(Add(Mul(x0, 0.2), 0.5))');
    stays('relu for relu6', 'Mul(x0, Div(Relu(Add(x0, 3)), 6))');
  });

  describe('identity testing', () => {
    const ranges = (count: number) => Array.from({length: count}, () => [-2, 2] as const);
    const same = (text: string, formula: (...x: number[]) => number, wanted: boolean) =>
      it(`${text} ${wanted ? 'is' : 'is not'} the formula`, () => {
        const expr = parseExpression(text);
        const inputs = [...inputsIn(expr)].sort();
        expect(isIdentity(expr, inputs, ranges(inputs.length), formula)).to.equal(wanted);
      });

    const scaled = (x: number, mean: number, gamma: number, beta: number) => (x - mean) * gamma + beta;
    same('Add(Mul(Sub(x0, x1), x2), x3)', scaled, true);
    same('Add(Mul(x0, x2), Sub(x3, Mul(x1, x2)))', scaled, true);
    same('Sub(x3, Mul(Neg(x2), Sub(x0, x1)))', scaled, true);
    same('Add(Mul(Sub(x0, x1), x3), x2)', scaled, false);
    same('Sub(Mul(Sub(x0, x1), x2), x3)', scaled, false);
    same('Add(Mul(Sub(x1, x0), x2), x3)', scaled, false);
    same('Add(Mul(Sub(x0, x1), x2), Mul(x3, 1.0001))', scaled, false);
    // Agrees at every point that random trials are likely to draw, so it must not be tried at all.
    same('Add(x0, Maximum(x1, -1000))', (a, b = 0) => a + b, false);

    it('takes constants as float32 has them', () => {
      expect(isIdentity(parseExpression('Mul(x0, 0.1)'), [0], ranges(1), (x) => x * 0.1)).to.equal(true);
      expect(isIdentity(parseExpression('Mul(x0, 0.1)'), [0], ranges(1), (x) => x * 0.10001)).to.equal(false);
    });

    it('is about the inputs in the order given', () => {
      const expr = parseExpression('Sub(x0, x1)');
      expect(isIdentity(expr, [1, 0], ranges(2), (b, a = 0) => a - b)).to.equal(true);
      expect(isIdentity(expr, [0, 1], ranges(2), (b, a = 0) => a - b)).to.equal(false);
    });
  });

  it('knows erf to double precision', () => {
    // DLMF 7.2, to 16 digits by series (x ≤ 3) and continued fraction (x > 3).
    const known: readonly (readonly [number, number])[] = [
      [0, 0],
      [0.5, 0.5204998778130465],
      [1, 0.8427007929497149],
      [2, 0.9953222650189527],
      [2.9, 0.9999589021219005],
      [3.5, 0.9999992569016276],
      [7, 1],
    ];
    for (const [x, wanted] of known) {
      expect(at('Erf(x0)', x)).to.be.closeTo(wanted, 2e-15);
      expect(at('Erf(x0)', -x)).to.be.closeTo(-wanted, 2e-15);
    }
    expect(at('Erf(x0)', Number.NaN)).to.be.NaN;
  });

  it('does not evaluate what it does not know, nor call it smooth', () => {
    expect(at('Atan2(x0, x1)', 1, 2)).to.equal(undefined);
    expect(isSmooth(parseExpression('Mul(x0, Exp(x1))'))).to.equal(true);
    expect(isSmooth(parseExpression('Mul(x0, Abs(x1))'))).to.equal(false);
  });

  it('substitutes, and keeps shared parts shared', () => {
    const expr = parseExpression('Mul(t0: Add(x0, x1), t0)');
    const result = substitute(expr, (i) => (i === 0 ? parseExpression('Neg(x2)') : {input: i})) as Extract<Expr, {op: string}>;
    expect(printExpression(result)).to.equal('Mul(t0: Add(Neg(x2), x1), t0)');
    expect(result.args[0]).to.equal(result.args[1]);
    expect([...inputsIn(result)].sort()).to.deep.equal([1, 2]);
    expect(partsOf(result).size).to.equal(5);
    expect(occurrences(parseExpression('Mul(x0, Add(x0, x1))'), 0)).to.equal(2);
  });

  describe('simplifies', () => {
    const becomes = (text: string, wanted: string) =>
      it(`${text} → ${wanted}`, () => expect(printExpression(simplify(parseExpression(text)))).to.equal(wanted));

    becomes('Mul(Mul(1, x0), 1)', 'x0');
    becomes('Div(x0, 1)', 'x0');
    becomes('Pow(x0, 1)', 'x0');
    becomes('Sub(x0, 0)', 'x0');
    becomes('Add(-0, Copy(x0))', 'x0');
    becomes('Mul(x0, ToFloat(3))', 'Mul(x0, 3)');
    becomes('Select(1, x0, x1)', 'x0');
    becomes('Select(0, x0, x1)', 'x1');
    becomes('Mul(x0, Div(1, Sqrt(64)))', 'Mul(x0, 0.125)');
    // One rounding: 1/3 and 1/3 · 3 in float32.
    becomes('Add(x0, Mul(Div(1, 3), 3))', 'Add(x0, 1)');
    becomes('Add(x0, Sub(0.1, 0.3))', 'Add(x0, -0.20000002)');

    const stays = (text: string, why: string) => it(`${text} stays: ${why}`, () => becomesItself(text));
    const becomesItself = (text: string) => expect(printExpression(simplify(parseExpression(text)))).to.equal(text);
    stays('Add(x0, 0)', '-0 + 0 is 0');
    stays('Sub(x0, -0)', '-0 - -0 is 0');
    stays('Sub(0, x0)', 'it negates');
    stays('Mul(x0, 0)', 'NaN and -0');
    stays('Div(1, x0)', 'it inverts');
    stays('Mul(x0, -1)', 'it negates');
    stays('Exp(1)', 'the native function may round it the other way');
    stays('Pow(1, x0)', 'only the exponent is neutral');
    stays('Select(x0, x1, x1)', 'nothing says so');
    stays('Mul(x0, Reciprocal(3))', 'an estimate with one Newton step may be off by an ulp');
  });

  it('simplifies without touching a bit, special values included', () => {
    const special = [0, -0, 1, -1, 0.1, 3, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-45, -1e-40, 3.4e38, 16777217];
    const leaf = fc.oneof(
      fc.constantFrom('x0', 'x1'),
      fc.constantFrom(...special).map((v) => (Object.is(v, -0) ? '-0' : String(v))),
    );
    const {tree} = fc.letrec<{tree: string}>((tie) => ({
      tree: fc.oneof(
        {depthSize: 'small', withCrossShrink: true},
        leaf,
        fc.tuple(fc.constantFrom('Neg', 'Abs', 'Square', 'Sqrt', 'Copy'), tie('tree')).map(([op, a]) => `${op}(${a})`),
        fc
          .tuple(fc.constantFrom('Add', 'Sub', 'Mul', 'Div', 'Maximum', 'Minimum'), tie('tree'), tie('tree'))
          .map(([op, a, b]) => `${op}(${a}, ${b})`),
      ),
    }));
    /** As float32 computes: every step rounds once. */
    const rounded = (expr: Expr, inputs: readonly number[]): number => {
      const of = (part: Expr): number => {
        if ('input' in part) return Math.fround(inputs[part.input] as number);
        if ('f32' in part) return part.f32;
        if ('i32' in part) return part.i32;
        const args = part.args.map((arg): Expr => ({f32: of(arg)}));
        return Math.fround(evaluate({op: part.op, args}, () => undefined) as number);
      };
      return of(expr);
    };
    holds(
      fc.property(tree, fc.constantFrom(...special), fc.constantFrom(...special), (text, a, b) => {
        const expr = parseExpression(text);
        const simpler = simplify(expr);
        expect(Object.is(rounded(simpler, [a, b]), rounded(expr, [a, b])), `${text} → ${printExpression(simpler)}`).to.equal(true);
      }),
      2000,
    );
  });
});
