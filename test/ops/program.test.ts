import {expect} from 'chai';
import {scalarNames} from '../../src/ops/pointwise';
import {call, decodeProgram, type Expr, encodeProgram, f32, i32, input} from '../../src/ops/program';

const encode = (expr: Expr): number[] => {
  const words = encodeProgram(expr);
  if (words === undefined) throw new Error('does not fit');
  return words;
};
const registers = (words: readonly number[]) => words[0];
const instructions = (words: readonly number[]) => words[1];

describe('programs', () => {
  it('encodes an instruction as the op table describes it', () => {
    const words = encode(call('MulAdd', input(2), f32(1), input(0)));
    expect(words).to.deep.equal([1, 1, 1, scalarNames.indexOf('MulAdd'), 34 | (64 << 8) | (32 << 16), 0x3f800000]);
  });

  it('evaluates equal parts once, whether they are one object or two', () => {
    const shared = call('Exp', input(0));
    const twice = call('Add', call('Mul', shared, shared), call('Exp', input(0)));
    expect(instructions(encode(twice))).to.equal(3);
  });

  it('keeps -0 and 0, and f32 and i32 of the same bits apart', () => {
    const words = encode(call('Select', call('LessInt', i32(0), input(0)), call('Add', f32(0), input(1)), f32(-0)));
    expect(words[2]).to.equal(3);
  });

  it('reuses registers: a chain takes one, a left or right comb two', () => {
    let chain: Expr = input(0);
    for (let i = 0; i < 100; i++) chain = call('Neg', chain);
    expect(registers(encode(chain))).to.equal(1);
    let left: Expr = call('Neg', input(0));
    let right = left;
    for (let i = 1; i < 100; i++) {
      const leaf = call('Abs', call('Mul', input(0), f32(i)));
      left = call('Add', left, leaf);
      right = call('Sub', leaf, right);
    }
    expect(registers(encode(left))).to.equal(2);
    expect(registers(encode(right))).to.equal(2);
  });

  it('keeps a shared part in its register until its last use', () => {
    const x = call('Tanh', input(0));
    const words = encode(call('Add', call('Exp', x), call('Mul', x, f32(2))));
    expect(registers(words)).to.equal(2);
    const writes = [0, 1, 2, 3].map((i) => (words[3 + 2 * i] as number) >> 16);
    expect(new Set(writes.slice(0, 2)).size).to.equal(2);
  });

  it('decodes to what was encoded', () => {
    const x = call('Sigmoid', input(1));
    const expr = call('Select', call('Greater', x, f32(0.5)), call('ToFloat', call('AddInt', input(2), i32(-7))), x);
    expect(decodeProgram(encode(expr))).to.deep.equal(expr);
    expect(encode(decodeProgram(encode(expr)))).to.deep.equal(encode(expr));
  });

  it('decodes shared parts to one object', () => {
    const x = call('Exp', input(0));
    const decoded = decodeProgram(encode(call('Mul', x, x)));
    if (!('op' in decoded)) throw new Error('not a call');
    expect(decoded.args[0]).to.equal(decoded.args[1]);
  });

  it('refuses what does not fit', () => {
    const wide = (n: number): Expr => (n === 0 ? call('Exp', f32(Math.random())) : call('Add', wide(n - 1), wide(n - 1)));
    expect(encodeProgram(wide(8))).to.equal(undefined); // 256 immediates
    expect(encodeProgram(call('Neg', input(32)))).to.equal(undefined);
    let many: Expr = f32(0);
    const parts = Array.from({length: 40}, (_, i) => call('Exp', call('Mul', input(0), f32(i))));
    for (const part of parts) many = call('Add', many, part);
    for (const part of parts) many = call('Add', many, call('Neg', part)); // every part is live across the middle
    expect(encodeProgram(many)).to.equal(undefined);
  });
});
