import {type Graph, list, type Node, num, type Operand} from '../../src/compile/ir';
import {rowMajorStrides} from '../../src/ops/geometry';
import {Attention, MatMul} from '../../src/ops/linear';
import {Pointwise} from '../../src/ops/pointwise';
import {call, decodeProgram, type Expr, encodeProgram, f32, input} from '../../src/ops/program';
import {Softmax} from '../../src/ops/reduction';

/** The graph with each Attention node spelled out as its contract has it (src/ops/linear.ts): the truth for tests of what makes one. */
export function expandAttention(graph: Graph): Graph {
  const values = [...graph.values];
  const nodes = graph.nodes.flatMap((node): Node[] => {
    if (node.op !== Attention) return [node];
    const [b, h, q, k] = ['batch', 'heads', 'queries', 'keys'].map((name) => num(node, name)) as [number, number, number, number];
    const block = (): Operand => ({value: values.push({dtype: 'float32', elems: b * h * q * k}) - 1, offset: 0});
    const [scores, adjusted, probabilities] = [block(), block(), block()];
    const dense = rowMajorStrides([b, h, q, k]);
    const batches = {batch1: b, batch2: h};
    const plain = {packedB: 0, epilogue: [], epilogueStrides: []};
    const of = (operand: string, row = 'Row') => num(node, `${operand}${row}`);
    return [
      {
        op: MatMul,
        inputs: [node.inputs[0], node.inputs[1], undefined],
        outputs: [scores],
        params: {
          ...batches,
          ...plain,
          ...{rowsM: q, colsN: k, depthK: num(node, 'depth')},
          ...{aBatch1: of('query', 'Batch'), aBatch2: of('query', 'Head'), aRow: of('query'), aCol: 1},
          ...{bBatch1: of('key', 'Batch'), bBatch2: of('key', 'Head'), bRow: 1, bCol: of('key')},
          ...{cBatch1: dense[0] as number, cBatch2: dense[1] as number, cRow: k},
        },
      },
      adjust(node, [b, h, q, k], scores, adjusted),
      {op: Softmax, inputs: [adjusted], outputs: [probabilities], params: {rows: b * h * q, cols: k, logarithm: false}},
      {
        op: MatMul,
        inputs: [probabilities, node.inputs[2], undefined],
        outputs: node.outputs,
        params: {
          ...batches,
          ...plain,
          ...{rowsM: q, colsN: num(node, 'valueDepth'), depthK: k},
          ...{aBatch1: dense[0] as number, aBatch2: dense[1] as number, aRow: k, aCol: 1},
          ...{bBatch1: of('value', 'Batch'), bBatch2: of('value', 'Head'), bRow: of('value'), bCol: 1},
          ...{cBatch1: of('out', 'Batch'), cBatch2: of('out', 'Head'), cRow: of('out')},
        },
      },
    ];
  });
  return {...graph, values, nodes};
}

/** Scale, mask and epilogue; a causal mask would need indices, and no test makes one. */
function adjust(node: Node, shape: readonly number[], scores: Operand, output: Operand): Node {
  if (node.params.causal === true) throw new Error('causal attention is not expanded');
  const mask = node.inputs[3];
  const extras = node.inputs.slice(4) as Operand[];
  const maskStrides = ['maskBatch', 'maskHead', 'maskRow', 'maskCol'].map((name) => num(node, name));
  const inputs = [scores, ...(mask === undefined ? [] : [mask]), ...extras];
  const strides = [
    rowMajorStrides(shape),
    ...(mask === undefined ? [] : [maskStrides]),
    list(node, 'epilogueStrides'),
    rowMajorStrides(shape),
  ];
  const scaled = call('Mul', input(0), f32(num(node, 'scale')));
  const masked = mask === undefined ? scaled : call('Add', scaled, input(1));
  const firstExtra = mask === undefined ? 1 : 2;
  const program = list(node, 'epilogue');
  const replace = (expr: Expr): Expr => {
    if ('op' in expr) return {op: expr.op, args: expr.args.map(replace)};
    if ('input' in expr) return expr.input === 0 ? masked : input(firstExtra + expr.input - 1);
    return expr;
  };
  const expr = program.length === 0 ? masked : replace(decodeProgram(program));
  return {op: Pointwise, inputs, outputs: [output], params: {shape, strides: strides.flat(), program: encodeProgram(expr) as number[]}};
}
