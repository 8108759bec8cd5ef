import {backend_util, type EinsumAttrs, type EinsumInputs, type TensorInfo} from '@tensorflow/tfjs-core';
import type {GravitonBackend} from '../backend';
import {errors} from '../errors';
import {broadcastShape, collapse, rowMajorStrides} from '../ops/geometry';
import {call, input} from '../ops/program';
import {float32, type KernelTable, kernel} from './kernel';
import {type Product, product} from './linear';
import {reduce} from './reduction';
import {program, stridedPointwise, transpose, using} from './steps';

/** A tensor whose axes are labels: numbers of the equation's letters, those of the output first. */
interface Term {
  readonly tensor: TensorInfo;
  readonly labels: readonly number[];
}

const multiply = program(call('Mul', input(0), input(1)));

const sizeIn = ({tensor, labels}: Term, label: number): number => tensor.shape[labels.indexOf(label)] ?? 1;

/** Strides of a term over `labels`; 0 for those that it lacks. */
function stridesOver({tensor, labels}: Term, over: readonly number[]): number[] {
  const dense = rowMajorStrides(tensor.shape);
  return over.map((label) => dense[labels.indexOf(label)] ?? 0);
}

/** Sums the labels that neither the output nor the other term has. The result is to be given back. */
function sumAlone(backend: GravitonBackend, term: Term, outputs: number, other: readonly number[]): Term {
  const {tensor, labels} = term;
  const isAlone = (label: number) => label >= outputs && !other.includes(label);
  const axes = labels.map((label, axis) => (isAlone(label) ? axis : -1)).filter((axis) => axis >= 0);
  if (axes.length === 0) return {tensor: backend.view(tensor, tensor.shape), labels};
  return {tensor: reduce(backend, 'sum', tensor, axes, false), labels: labels.filter((label) => !isAlone(label))};
}

/** Axes over which the product's operands walk together as one: their size and strides; undefined where they do not. */
function asOne(sizes: readonly number[], first: readonly number[], second: readonly number[]) {
  const {shape, strides} = collapse(sizes, [first, second]);
  if (shape.length !== 1) return undefined;
  return {size: shape[0] as number, first: strides[0]?.[0] as number, second: strides[1]?.[0] as number};
}

interface Roles {
  readonly batch: readonly number[];
  readonly rows: readonly number[];
  readonly cols: readonly number[];
  readonly depth: readonly number[];
}

function rolesOf(a: Term, b: Term, outputs: number): Roles {
  const all = Array.from({length: outputs}, (_, label) => label);
  return {
    batch: all.filter((l) => a.labels.includes(l) && b.labels.includes(l)),
    rows: all.filter((l) => a.labels.includes(l) && !b.labels.includes(l)),
    cols: all.filter((l) => !a.labels.includes(l) && b.labels.includes(l)),
    depth: a.labels.filter((l) => l >= outputs),
  };
}

/** The product whose dense result has the labels batch, rows, cols in this order; undefined where a or b would have to be moved first. */
function productOf(a: Term, b: Term, {batch, rows, cols, depth}: Roles): Product | undefined {
  const sizes = (term: Term, labels: readonly number[]) => labels.map((l) => sizeIn(term, l));
  const rowWalk = asOne(sizes(a, rows), stridesOver(a, rows), rowMajorStrides(sizes(a, rows)));
  const colWalk = asOne(sizes(b, cols), stridesOver(b, cols), rowMajorStrides(sizes(b, cols)));
  const depthWalk = asOne(sizes(a, depth), stridesOver(a, depth), stridesOver(b, depth));
  if (rowWalk === undefined || colWalk === undefined || depthWalk === undefined) return undefined;
  return {
    batch: sizes(a, batch),
    rowsM: rowWalk.size,
    colsN: colWalk.size,
    depthK: depthWalk.size,
    aBatch: stridesOver(a, batch),
    bBatch: stridesOver(b, batch),
    aRow: rowWalk.first,
    aCol: depthWalk.first,
    bRow: depthWalk.second,
    bCol: colWalk.first,
  };
}

/** The term with its axes in the order of `labels`. The result is to be given back. */
function moved(backend: GravitonBackend, {tensor, labels}: Term, order: readonly number[]): Term {
  const perm = order.map((label) => labels.indexOf(label));
  return {tensor: transpose(backend, tensor, perm), labels: order};
}

function contract(backend: GravitonBackend, a: Term, b: Term, roles: Roles, outputs: number): TensorInfo {
  const {batch, rows, cols, depth} = roles;
  const direct = productOf(a, b, roles);
  if (direct === undefined) {
    const inOrder = [moved(backend, a, [...batch, ...rows, ...depth]), moved(backend, b, [...batch, ...depth, ...cols])] as const;
    return using(
      backend,
      inOrder.map((t) => t.tensor),
      () => contract(backend, inOrder[0], inOrder[1], roles, outputs),
    );
  }
  const order = [...batch, ...rows, ...cols];
  const shape = order.map((label) => (a.labels.includes(label) ? sizeIn(a, label) : sizeIn(b, label)));
  const result = {...product(backend, a.tensor, b.tensor, direct), shape};
  const perm = Array.from({length: outputs}, (_, label) => order.indexOf(label));
  return using(backend, [result], () => transpose(backend, result, perm));
}

/** Products without a sum: one walk over the output. */
function outer(backend: GravitonBackend, a: Term, b: Term, outputs: number): TensorInfo {
  const all = Array.from({length: outputs}, (_, label) => label);
  const sized = (term: Term) => all.map((label) => sizeIn(term, label));
  const shape = broadcastShape(sized(a), sized(b), 'Einsum');
  return stridedPointwise(backend, multiply, [a.tensor, b.tensor], [stridesOver(a, all), stridesOver(b, all)], shape, 'float32');
}

function einsum(backend: GravitonBackend, tensors: readonly TensorInfo[], equation: string): TensorInfo {
  const {allDims, summedDims, idDims} = backend_util.decodeEinsumEquation(equation, tensors.length);
  tensors.forEach(({shape}, i) => {
    if (shape.length === idDims[i]?.length) return;
    throw errors.shape('Einsum', `operand ${i} of ${equation} has ${idDims[i]?.length ?? 0} axes; got [${shape.join(', ')}]`);
  });
  backend_util.checkEinsumDimSizes(allDims.length, idDims, [...tensors] as Parameters<typeof backend_util.checkEinsumDimSizes>[2]);
  const outputs = allDims.length - summedDims.length;
  const terms = tensors.map((tensor, i) => sumAlone(backend, {tensor, labels: idDims[i] ?? []}, outputs, idDims[1 - i] ?? []));
  const [a, b] = terms as [Term, Term | undefined];
  return using(
    backend,
    terms.map((t) => t.tensor),
    () => {
      if (b === undefined)
        return moved(
          backend,
          a,
          Array.from({length: outputs}, (_, label) => label),
        ).tensor;
      const roles = rolesOf(a, b, outputs);
      if (roles.depth.length === 0) return outer(backend, a, b, outputs);
      // The last output axis must be a column for the result to need no transposition.
      if (roles.cols.includes(outputs - 1) || roles.rows.length === 0) return contract(backend, a, b, roles, outputs);
      return contract(backend, b, a, rolesOf(b, a, outputs), outputs);
    },
  );
}

export const einsumKernels: KernelTable = {
  Einsum: kernel<EinsumInputs, EinsumAttrs>(float32, ({inputs, attrs, backend}) => einsum(backend, inputs, attrs.equation)),
};
