import {settingOf, settings} from '../config';
import {errors} from '../errors';
import {packLayouts} from '../ops/linear';
import {type Graph, type Node, valueOf} from './ir';

/** What products and convolutions may round: an answer for one compiled model or function, fixed when it is made. */
export interface Precision {
  readonly fpmath: 'fp32' | 'bf16';
  readonly weights: 'fp32' | 'int8';
}

export const exactPrecision: Precision = {fpmath: 'fp32', weights: 'fp32'};

/** From compile's options, flags and environment variables. @throws ERR_OPTION */
export function precisionFrom(options: {readonly fpmath?: unknown; readonly weights?: unknown}): Precision {
  const {fpmath, weights = 'fp32'} = options;
  if (weights !== 'fp32' && weights !== 'int8') throw errors.option('option weights', String(weights), 'fp32 or int8');
  if (fpmath === undefined) return {fpmath: settingOf(settings.fpmath), weights};
  return {fpmath: settings.fpmath.parse(String(fpmath), 'option fpmath'), weights};
}

/** The layouts of weights that cannot be unpacked again. */
export const roundedLayouts: Readonly<Record<number, 'bf16' | 'int8'>> = {[packLayouts.gemmBf16]: 'bf16', [packLayouts.gemmInt8]: 'int8'};

/** How the node's weights, and with them its other operand, are rounded. */
export function roundingOf(node: Node): 'bf16' | 'int8' | undefined {
  const layout = node.params.packedB ?? node.params.packedFilter;
  return layout === undefined ? undefined : roundedLayouts[Number(layout)];
}

/** What the node computes in: 'fp32', 'bf16' or 'int8' (with float32 sums and int32 sums), or the type of what it moves and compares. */
export function precisionOf(graph: Graph, node: Node): string {
  const {dtype} = valueOf(graph, (node.outputs[0] ?? node.inputs.find((o) => o !== undefined))?.value as number);
  return roundingOf(node) ?? (dtype === 'float32' ? 'fp32' : dtype);
}

/** Relative size of one rounding of an operand. */
export const roundingUnits = {none: 0, bf16: 2 ** -8, int8: 2 ** -7} as const;
