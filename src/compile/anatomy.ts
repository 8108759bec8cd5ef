import type {ParamValue} from '../ops/schema';
import {type Graph, valueOf} from './ir';

/** A graph taken apart, to tell whether two are the same but for some numbers. */
export interface Anatomy {
  /** All that is not a number. */
  readonly structure: string;
  readonly numbers: readonly number[];
  /** By ConstantPool number. */
  readonly constants: readonly number[];
  readonly constantElems: readonly number[];
}

export function anatomyOf(graph: Graph): Anatomy {
  const structure: string[] = [];
  const numbers: number[] = [];
  for (const node of graph.nodes) {
    structure.push(node.op.name);
    for (const operand of [...node.inputs, ...node.outputs]) {
      structure.push(operand === undefined ? '-' : String(operand.value));
      if (operand !== undefined) numbers.push(operand.offset, valueOf(graph, operand.value).elems);
    }
    for (const value of Object.values(node.params) as ParamValue[]) {
      const list = typeof value === 'object';
      structure.push(list ? `[${value.length}` : 'x');
      if (list) numbers.push(...value);
      else numbers.push(Number(value));
    }
  }
  const constants = graph.values.filter((value) => value.constant !== undefined);
  structure.push(
    graph.inputs.join(),
    graph.outputs.join(),
    graph.values.map(({dtype, constant}) => `${dtype}${constant === undefined}`).join(),
  );
  return {
    structure: structure.join(' '),
    numbers,
    constants: constants.map(({constant}) => constant as number),
    constantElems: constants.map(({elems}) => elems),
  };
}
