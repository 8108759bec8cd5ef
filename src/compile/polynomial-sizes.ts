import type {NodeDef} from './mend';

/** What moves sizes about without dividing, comparing or bounding them: what they lead to stays a polynomial of them. */
const shapeArithmetic: ReadonlySet<string> = new Set([
  ...[
    'Add',
    'AddV2',
    'Sub',
    'Mul',
    'Neg',
    'Prod',
    'Sum',
    'Cast',
    'Identity',
    'StopGradient',
    'Reshape',
    'ExpandDims',
    'Squeeze',
    'Transpose',
  ],
  ...['Pack', 'Unpack', 'Concat', 'ConcatV2', 'Slice', 'StridedSlice', 'Gather', 'GatherV2', 'Split', 'SplitV', 'Fill', 'Range', 'Tile'],
  ...['BroadcastTo', 'ZerosLike', 'OnesLike', 'Placeholder', 'PlaceholderWithDefault', 'Const', 'NoOp', 'Shape', 'ShapeN', 'Rank'],
]);

/** Arithmetic on elements, whose result has the broadcast shape of its operands, and products. */
const elementwise: ReadonlySet<string> = new Set([
  ...[
    'RealDiv',
    'Div',
    'DivNoNan',
    'Maximum',
    'Minimum',
    'Pow',
    'SquaredDifference',
    'AddN',
    'BiasAdd',
    'Abs',
    'Exp',
    'Expm1',
    'Log',
    'Log1p',
  ],
  ...[
    'Sqrt',
    'Rsqrt',
    'Square',
    'Reciprocal',
    'Erf',
    'Tanh',
    'Sigmoid',
    'Relu',
    'Relu6',
    'LeakyRelu',
    'Elu',
    'Selu',
    'Softplus',
    'Softsign',
  ],
  ...['Sin', 'Cos', 'Sign', 'Floor', 'Ceil', 'Round', 'Prelu', 'ClipByValue', 'Less', 'LessEqual', 'Greater', 'GreaterEqual', 'Equal'],
  ...['NotEqual', 'LogicalAnd', 'LogicalOr', 'LogicalNot', 'Select', 'SelectV2', 'Softmax', 'LogSoftmax', 'MatMul', '_FusedMatMul'],
  ...['BatchMatMul', 'BatchMatMulV2', 'Einsum', 'Mean', 'Max', 'Min', 'All', 'Any', 'ArgMax', 'ArgMin', 'OneHot', 'Pad', 'PadV2', 'Cumsum'],
  ...[
    'FusedBatchNorm',
    'FusedBatchNormV2',
    'FusedBatchNormV3',
    'FloorMod',
    'FloorDiv',
    'MatrixBandPart',
    'GravitonMatrixBandPart',
    'IsNan',
  ],
]);

const givesSizes: ReadonlySet<string> = new Set(['Shape', 'ShapeN', 'Size']);

/** What sizes may go through once they are floats: as elements, they are compared with those of other calls. */
const smooth: ReadonlySet<string> = new Set(['RealDiv', 'Sqrt', 'Rsqrt', 'Square', 'Reciprocal', 'Pow']);

/** Inputs that are read as sizes; what comes out are elements, whatever their number. */
const takesSizes: Readonly<Record<string, readonly number[]>> = {
  Reshape: [1],
  BroadcastTo: [1],
  Tile: [1],
  Fill: [0],
  Slice: [1, 2],
  StridedSlice: [1, 2, 3],
  Range: [0, 1, 2],
  SplitV: [1],
  Pad: [1],
  PadV2: [1],
  OneHot: [1],
};

const sourceOf = (input: string) => input.replace(/^\^/, '').replace(/:\d+$/, '');

/** A type attribute is written by name or by number (tensorflow/core/framework/types.proto). */
function isInteger(node: NodeDef, attribute: string): boolean {
  const type = (node.attr?.[attribute] as {type?: string | number} | undefined)?.type;
  return type === 'DT_INT32' || type === 'DT_INT64' || type === 3 || type === 9;
}

/** Whether sizes that reach this node stay polynomials. */
function keepsPolynomials(node: NodeDef): boolean {
  if (node.op === 'Cast') return !isInteger(node, 'DstT') || isInteger(node, 'SrcT');
  return shapeArithmetic.has(node.op) || smooth.has(node.op);
}

/**
 * Whether every size in the graph is a polynomial of the inputs' sizes between any two where it is at three: no control flow, no windows
 * with strides, and nothing that divides, compares or bounds sizes. Then plans need no look at sizes that lie between those recorded.
 * `topology`: a GraphDef in JSON.
 */
export function hasPolynomialSizes(topology: unknown): boolean {
  const {node: nodes, library} = (topology ?? {}) as {node?: readonly NodeDef[]; library?: {function?: readonly unknown[]}};
  if (nodes === undefined || (library?.function?.length ?? 0) > 0) return false;
  if (!nodes.every(({op}) => shapeArithmetic.has(op) || elementwise.has(op) || givesSizes.has(op))) return false;
  const byName = new Map(nodes.map((node) => [node.name, node]));
  // StridedSlice with other strides than 1 divides.
  const strides = ({input}: NodeDef) => byName.get(sourceOf(input?.[3] ?? ''));
  if (!nodes.every((node) => node.op !== 'StridedSlice' || strides(node)?.op === 'Const')) return false;
  // What holds sizes, or elements made of them.
  const sized = new Set(nodes.filter(({op}) => givesSizes.has(op)).map(({name}) => name));
  for (let grew = true; grew; ) {
    grew = false;
    for (const node of nodes) {
      if (sized.has(node.name)) continue;
      const reached = (node.input ?? []).some((input, i) => sized.has(sourceOf(input)) && !(takesSizes[node.op] ?? []).includes(i));
      if (!reached) continue;
      if (!keepsPolynomials(node)) return false;
      sized.add(node.name);
      grew = true;
    }
  }
  return true;
}
