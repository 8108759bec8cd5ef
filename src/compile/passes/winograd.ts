import {native} from '../../native';
import {Conv2D} from '../../ops/convolution';
import {packLayouts} from '../../ops/linear';
import {Editor} from '../editor';
import {type Node, num} from '../ir';
import type {Pass} from '../pass';
import {hasConstantWeights, packWeights} from './packing';

/** F(m x m, 3x3) for square tiles of m pixels. */
interface Form {
  readonly name: string;
  readonly layout: number;
  readonly m: number;
  /** Transforming one tile, in multiply-adds of a vector per vector of channels, in or out. */
  readonly transform: number;
}

// Costs fitted to one thread of a Zen 4 with AVX-512 (bench/problems/conv.txt), in multiply-adds of a vector.
const forms: readonly Form[] = [
  {name: 'F(4x4, 3x3)', layout: packLayouts.winograd4F32, m: 4, transform: 320},
  {name: 'F(2x2, 3x3)', layout: packLayouts.winograd2F32, m: 2, transform: 100},
];
/** Rows that a vector of the filter must meet, or reading it from memory takes longer than the multiply-adds. */
const rowsPerRead = 10.7;
/** A gain below this is not worth the memory and the rounding. */
const leastGain = 1.15;

const multiplyAdds = (rows: number, matrices: number, inC: number, vectors: number): number =>
  Math.max(rows, rowsPerRead) * matrices * inC * vectors;

function costOf({m, transform}: Form, node: Node, lanes: number): number {
  const [inC, vectors] = [num(node, 'inC'), Math.ceil(num(node, 'outC') / lanes)];
  const tiles = num(node, 'batch') * Math.ceil(num(node, 'outH') / m) * Math.ceil(num(node, 'outW') / m);
  return multiplyAdds(tiles, (m + 2) ** 2, inC, vectors) + tiles * transform * (Math.ceil(inC / lanes) + vectors);
}

/** The fastest form for a node's sizes, if one gains on the direct form: a pure function of them and of the instruction set. */
export function winogradForm(node: Node, lanes: number): Form | undefined {
  const {form, gain} = bestForm(node, lanes);
  return gain > leastGain ? form : undefined;
}

function bestForm(node: Node, lanes: number): {readonly form: Form; readonly gain: number} {
  const pixels = num(node, 'batch') * num(node, 'outH') * num(node, 'outW');
  const direct = multiplyAdds(pixels, 9, num(node, 'inC'), Math.ceil(num(node, 'outC') / lanes));
  const [best] = forms.map((form) => ({form, gain: direct / costOf(form, node, lanes)})).sort((a, b) => b.gain - a.gain);
  return best as {form: Form; gain: number};
}

const isOne = (node: Node, ...names: readonly string[]): boolean => names.every((name) => num(node, name) === 1);

function takesWinograd(node: Node): boolean {
  if (node.op !== Conv2D || num(node, 'packedFilter') !== 0) return false;
  if (num(node, 'filterH') !== 3 || num(node, 'filterW') !== 3) return false;
  return isOne(node, 'strideH', 'strideW', 'dilationH', 'dilationW', 'groups');
}

// What packing one column pads it to.
const lanesOf = () => native().packedElems(packLayouts.gemmF32, 1, 1, 1);

/** How many times faster than directly the node runs in Winograd's form; 0 where it has none. */
export function winogradGain(node: Node): number {
  return takesWinograd(node) ? bestForm(node, lanesOf()).gain : 0;
}

export const winograd: Pass = {
  name: 'winograd',
  why: '3x3 convolutions take 2 to 3 times less time by minimal filtering (Lavin & Gray 2016); results move by some ten roundings',
  run(graph, context) {
    const editor = new Editor(graph);
    const lanes = lanesOf();
    for (const node of graph.nodes) {
      if (!takesWinograd(node) || !hasConstantWeights(editor, node)) continue;
      const form = context.choose(() => winogradForm(node, lanes));
      if (form === undefined) {
        context.refuse(node, 'winograd: the image or the channels are too few for it to gain');
        continue;
      }
      const [rowsK, colsN] = [num(node, 'inC'), num(node, 'outC')];
      const packing = {parameter: 'packedFilter', layout: form.layout, rowsK, colsN, rowStride: colsN, colStride: 1, taps: 9};
      packWeights(editor, node, packing, context, `Winograd ${form.name}`);
    }
    return editor.finish();
  },
};
