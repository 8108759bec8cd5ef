import {expect} from 'chai';
import fc from 'fast-check';
import {type Access, locate} from '../../src/compile/access';
import {evaluate} from '../../src/compile/expression';
import {parseExpression} from '../../src/compile/expression-text';
import {type Form, type FormInput, fit as fitTo, formOf, inline, nodeOf, readsInOrder, readThrough, tidy} from '../../src/compile/form';
import {parseGraph} from '../../src/compile/print';
import {rowMajorStrides, sizeOf} from '../../src/ops/geometry';
import {holds, seed} from './seed';

const base = 1000;
/** Element `index` of value `value`, for values that no form here computes: all differ, and none is negative. */
const element = (value: number, index: number) => {
  expect(index).to.be.within(0, base - 1);
  return value * base + index + 0.5;
};

/** What a form computes, element by element; `known` are values that other forms have computed. */
function compute(form: Form, known = new Map<number, number[]>()): number[] {
  const dense = rowMajorStrides(form.shape);
  return Array.from({length: sizeOf(form.shape)}, (_, i) => {
    const index = form.shape.map((size, d) => Math.floor(i / (dense[d] as number)) % size);
    const read = ({operand, strides}: FormInput) => {
      const at = operand.offset + index.reduce((sum, n, d) => sum + n * (strides[d] as number), 0);
      const values = known.get(operand.value);
      if (values === undefined) return element(operand.value, at);
      expect(at).to.be.within(0, values.length - 1);
      return values[at] as number;
    };
    return evaluate(form.expr, (part) => ('input' in part ? read(form.inputs[part.input] as FormInput) : undefined)) as number;
  });
}

const shapes = fc.array(fc.integer({min: 1, max: 4}), {minLength: 1, maxLength: 3});
/** Strides of an operand of its own: broadcast, transposed, sliced. */
const operandStrides = (rank: number) => fc.array(fc.integer({min: 0, max: 9}), {minLength: rank, maxLength: rank});

const produced = 9;
const expressions = ['Sub(x0, x1)', 'Mul(t0: Sub(x1, 3), Add(t0, x0))', 'Neg(x1)'].map(parseExpression);

/** A form of two operands over a random shape. */
const forms = fc.tuple(shapes, fc.constantFrom(...expressions)).chain(([shape, expr]) =>
  fc.record({
    shape: fc.constant(shape),
    expr: fc.constant(expr),
    inputs: fc.tuple(...[1, 2].map((value) => inputOf(value, shape.length))),
  }),
);

function inputOf(value: number, rank: number): fc.Arbitrary<FormInput> {
  return fc
    .record({offset: fc.integer({min: 0, max: 5}), strides: operandStrides(rank)})
    .map(({offset, strides}) => ({operand: {value, offset}, strides}));
}

/** Accesses to a dense block: a view of it with axes joined, cut, swapped, sliced or repeated, so that most can be located. */
function accessTo(shape: readonly number[]): fc.Arbitrary<Access> {
  const dense = rowMajorStrides(shape);
  const whole = shape.map((size, d) => ({size, stride: dense[d] as number}));
  return fc
    .record({
      axes: fc.shuffledSubarray(whole, {minLength: 1}),
      flat: fc.boolean(),
      repeat: fc.integer({min: 1, max: 3}),
      skip: fc.integer({min: 0, max: 1}),
    })
    .map(({axes, flat, repeat, skip}) => {
      if (flat) return {offset: 0, shape: [repeat, sizeOf(shape)], strides: [0, 1]};
      const [first, ...others] = axes as [{size: number; stride: number}, ...{size: number; stride: number}[]];
      const from = first.size > skip ? skip : 0;
      const cut = [{size: first.size - from, stride: first.stride}, ...others, {size: repeat, stride: 0}];
      return {offset: from * first.stride, shape: cut.map((a) => a.size), strides: cut.map((a) => a.stride)};
    });
}

/** A producer, and a reader of what it computes. */
const pairs = forms.chain((producer) =>
  accessTo(producer.shape).chain((access) =>
    fc.record({
      producer: fc.constant(producer as Form),
      reader: fc
        .tuple(inputOf(3, access.shape.length), fc.constantFrom(...expressions), fc.boolean())
        .map(([other, expr, swapped]): Form => {
          const read = {operand: {value: produced, offset: access.offset}, strides: access.strides};
          return {shape: access.shape, inputs: swapped ? [other, read] : [read, other], expr};
        }),
    }),
  ),
);

describe(`compile: forms (seed ${seed})`, () => {
  it('inlines a producer: the elements stay', () => {
    let inlined = 0;
    holds(
      fc.property(pairs, ({producer, reader}) => {
        const position = reader.inputs.findIndex((i) => i.operand.value === produced);
        const merged = inline(reader, position, producer);
        if (merged === undefined) return;
        inlined++;
        expect(compute(merged)).to.deep.equal(compute(reader, new Map([[produced, compute(producer)]])));
      }),
      400,
    );
    expect(inlined).to.be.greaterThan(200);
  });

  it('inlines wherever the access can be located', () => {
    holds(
      fc.property(pairs, ({producer, reader}) => {
        const position = reader.inputs.findIndex((i) => i.operand.value === produced);
        const {operand, strides} = reader.inputs[position] as FormInput;
        const located = locate({offset: operand.offset, shape: reader.shape, strides}, producer.shape);
        expect(inline(reader, position, producer) === undefined).to.equal(located === undefined);
      }),
      200,
    );
  });

  it('reads through a copy', () => {
    holds(
      fc.property(pairs, ({producer, reader}) => {
        const {operand, strides} = producer.inputs[0] as FormInput;
        const position = reader.inputs.findIndex((i) => i.operand.value === produced);
        const direct = readThrough(reader, position, {shape: producer.shape, strides, source: operand});
        if (direct === undefined) return;
        const copied = compute({shape: producer.shape, inputs: [{operand, strides}], expr: {input: 0}});
        expect(compute(direct)).to.deep.equal(compute(reader, new Map([[produced, copied]])));
      }),
      200,
    );
  });

  it('tidies: the elements stay, in as few axes and operands as can be', () => {
    holds(
      fc.property(forms, (form) => {
        const tidied = tidy(form);
        expect(compute(tidied)).to.deep.equal(compute(form));
        expect(tidied.shape.length).to.be.at.most(form.shape.length);
        expect(tidy(tidied)).to.deep.equal(tidied);
      }),
      200,
    );
  });

  it('gives a node of which it is the form', () => {
    holds(
      fc.property(forms, (form) => {
        const graph = parseGraph(`inputs: v0 float32[1], v1 float32[99], v2 float32[99], v3 float32[${sizeOf(form.shape)}]\noutputs: v3`);
        const node = nodeOf(form, {value: 3, offset: 0});
        expect(formOf(graph, node)).to.deep.equal(tidy(form));
      }),
      200,
    );
  });

  it('fits a form into the axes of another op', () => {
    let fitted = 0;
    const axesOf = (shape: readonly number[]) => [
      [1, 1, 1, sizeOf(shape)],
      [...[1, 1, 1, 1], ...shape].slice(-4),
      [1, ...[1, 1, 1], ...shape].slice(-4),
      [1, sizeOf(shape.slice(0, -1)), 1, shape.at(-1) as number],
    ];
    holds(
      fc.property(forms, fc.integer({min: 0, max: 3}), (form, choice) => {
        const result = fitTo(form, axesOf(form.shape)[choice] as number[]);
        if (result === undefined) return;
        fitted++;
        form.inputs.forEach((input, i) => {
          const source: Form = {shape: form.shape, inputs: [input], expr: {input: 0}};
          const strides = result.strides[i] as readonly number[];
          expect(compute({shape: result.axes, inputs: [{operand: input.operand, strides}], expr: {input: 0}})).to.deep.equal(
            compute(source),
          );
        });
      }),
      400,
    );
    expect(fitted).to.be.greaterThan(150);
  });

  const form = (text: string, shape: number[], ...strides: number[][]): Form => ({
    shape,
    inputs: strides.map((s, i) => ({operand: {value: i, offset: 0}, strides: s})),
    expr: parseExpression(text),
  });

  it('cuts the batch axis of an op into batch and heads, no other axis', () => {
    const mask = form('Add(x0, x1)', [2, 3, 4, 5], [60, 20, 5, 1], [20, 5, 0, 1]);
    expect(fitTo(mask, [1, 6, 4, 5])).to.deep.equal({
      axes: [2, 3, 4, 5],
      strides: [
        [60, 20, 5, 1],
        [20, 5, 0, 1],
      ],
    });
    expect(fitTo(mask, [6, 1, 4, 5])).to.equal(undefined);
    expect(fitTo(mask, [1, 2, 12, 5])).to.equal(undefined);
  });

  it('tells whether an operand is read in order', () => {
    const square = form('Add(x0, x1)', [3, 3], [3, 1], [1, 3]);
    const fitted = fitTo(square, [1, 1, 3, 3]);
    expect(fitted && [0, 1].map((i) => readsInOrder(square, fitted, i))).to.deep.equal([true, false]);
  });

  it('is undefined for a node that writes elsewhere', () => {
    const graph = parseGraph(`
      inputs: v0 float32[4]
      v1 float32[4] = Pointwise(v0) {shape: [2,2], strides: [2,1,1,2], program: Neg(x0)}
      v2 float32[8]@4 = Pointwise(v0) {shape: [4], strides: [1,1], program: Neg(x0)}
      outputs: v1, v2`);
    expect(graph.nodes.map((node) => formOf(graph, node))).to.deep.equal([undefined, undefined]);
  });
});
