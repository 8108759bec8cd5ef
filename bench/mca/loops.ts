/**
 * The hot inner loops, and the share of its limit that each must keep: `npm run bench:mca` fails where one falls under its line. Winograd's
 * products are Conv2D's loop, a Recurrence is made of MatMul's and Pointwise's; Winograd's results are written by a loop with branches to
 * partial vectors, which the simulator cannot follow.
 * A line is set a little under what the loop reaches, so that a compiler's other choice of registers passes and a spill does not.
 */

/** Arm's cores by the name of llvm-mca; Zen 4 stands for the x86-64 machine whose figures lie beside measurement. */
export const cores = ['neoverse-n1', 'neoverse-v1', 'neoverse-v2', 'znver4'] as const;
export type Core = (typeof cores)[number];

export interface Loop {
  readonly name: string;
  /** Object file under csrc/. */
  readonly object: string;
  /** Demangled functions that may hold it, without the level's namespace; the loop with most of `key` counts. */
  readonly inFunction: RegExp;
  /**
   * 'products': the share is that of the multiply-add instruction's own rate, so that 100 % is the peak. 'elements': the share is what the
   * core's ports and width would allow without latencies, and cycles are per element stored (or loaded, where nothing is stored).
   */
  readonly kind: 'products' | 'elements';
  /** 'bf16': of the level with bfloat16, which Neoverse N1 lacks. */
  readonly level?: 'bf16';
  /** Moves of vectors to and from the stack that it may make in a turn: 6 x 6 vectors do not fit 32 registers. Left out: none. */
  readonly spills?: number;
  /** Least share, in percent, on each core; a core that is left out has no such loop. */
  readonly lines: Readonly<Partial<Record<Core, number>>>;
}

export const loops: readonly Loop[] = [
  {
    name: 'MatMul, 8 rows',
    object: 'kernels/gemm/gemm',
    inFunction: /^void Tile<8, 3>/,
    kind: 'products',
    lines: {'neoverse-n1': 98, 'neoverse-v1': 98, 'neoverse-v2': 98, znver4: 74},
  },
  {
    name: 'MatMul, 4 rows',
    object: 'kernels/gemm/gemm',
    inFunction: /^void Tile<4, 3>/,
    kind: 'products',
    lines: {'neoverse-n1': 88, 'neoverse-v1': 57, 'neoverse-v2': 82, znver4: 74},
  },
  {
    name: 'MatMul, 1 row',
    object: 'kernels/gemm/gemm',
    inFunction: /^void Tile<1, 3>/,
    kind: 'products',
    lines: {'neoverse-n1': 70, 'neoverse-v1': 52, 'neoverse-v2': 52, znver4: 76},
  },
  {
    name: 'MatMul bf16, 8 rows',
    object: 'kernels/gemm/gemm_bf16',
    inFunction: /^void Tile<8, 3>/,
    kind: 'products',
    level: 'bf16',
    lines: {'neoverse-v1': 96, 'neoverse-v2': 96, znver4: 96},
  },
  {
    name: 'MatMul bf16, 1 row',
    object: 'kernels/gemm/gemm_bf16',
    inFunction: /^void Tile<1, 3>/,
    kind: 'products',
    level: 'bf16',
    lines: {'neoverse-v1': 27, 'neoverse-v2': 34, znver4: 96},
  },
  {
    name: 'MatMul int8, 8 rows',
    object: 'kernels/gemm/gemm_int8',
    inFunction: /^void Tile<8, 3>/,
    kind: 'products',
    level: 'bf16',
    lines: {'neoverse-v1': 96, 'neoverse-v2': 96, znver4: 82},
  },
  {
    name: 'MatMul int8, 4 rows',
    object: 'kernels/gemm/gemm_int8',
    inFunction: /^void Tile<4, 3>/,
    kind: 'products',
    level: 'bf16',
    lines: {'neoverse-v1': 95, 'neoverse-v2': 95, znver4: 82},
  },
  {
    name: 'MatMul int8, 1 row',
    object: 'kernels/gemm/gemm_int8',
    inFunction: /^void Tile<1, 3>/,
    kind: 'products',
    level: 'bf16',
    lines: {'neoverse-v1': 46, 'neoverse-v2': 59}, // the simulator's Zen 4 takes VPDPBUSD from memory for faster than from registers
  },
  {
    name: 'Conv2D, 8 pixels',
    object: 'kernels/conv/conv2d',
    inFunction: /^void MultiplyTile<8, 3>/,
    kind: 'products',
    lines: {'neoverse-n1': 98, 'neoverse-v1': 98, 'neoverse-v2': 98, znver4: 74},
  },
  {
    name: 'Winograd 4x4: input',
    object: 'kernels/conv/conv2d',
    inFunction: /^void TransformTiles<4>/,
    kind: 'elements',
    spills: 24,
    lines: {'neoverse-n1': 93, 'neoverse-v1': 68, 'neoverse-v2': 75, znver4: 96},
  },
  {
    name: 'DepthwiseConv2D 3x3',
    object: 'kernels/conv/depthwise',
    inFunction: /^void FixedTile<3, 1, 1>/,
    kind: 'products',
    lines: {'neoverse-n1': 47, 'neoverse-v1': 39, 'neoverse-v2': 50, znver4: 77},
  },
  {
    name: 'DepthwiseConv2D 5x5',
    object: 'kernels/conv/depthwise',
    inFunction: /^void FixedTile<5, 1, 1>/,
    kind: 'products',
    lines: {'neoverse-n1': 67, 'neoverse-v1': 52, 'neoverse-v2': 74, znver4: 89},
  },
  {
    name: 'Attention: scores',
    object: 'kernels/attention/attention_kernels',
    inFunction: /^void Tile<8, 3>/,
    kind: 'products',
    lines: {'neoverse-n1': 98, 'neoverse-v1': 98, 'neoverse-v2': 98, znver4: 74},
  },
  {
    name: 'Attention: weights',
    object: 'kernels/attention/attention_kernels',
    inFunction: /^Run\(/,
    kind: 'elements',
    lines: {'neoverse-n1': 78, 'neoverse-v1': 70, 'neoverse-v2': 81, znver4: 92},
  },
  {
    name: 'Softmax: exp and sum',
    object: 'kernels/softmax/softmax',
    inFunction: /ExpSumRow<true>|^ExpSum\(/,
    kind: 'elements',
    lines: {'neoverse-n1': 86, 'neoverse-v1': 82, 'neoverse-v2': 82, znver4: 95},
  },
  {
    name: 'Normalize: sums',
    object: 'kernels/normalize/normalize',
    inFunction: /FoldRow</,
    kind: 'elements',
    lines: {'neoverse-n1': 94, 'neoverse-v1': 46, 'neoverse-v2': 92, znver4: 95},
  },
  {
    name: 'Normalize: scale',
    object: 'kernels/normalize/normalize',
    inFunction: /^void Rows<false>/,
    kind: 'elements',
    lines: {'neoverse-n1': 94, 'neoverse-v1': 79, 'neoverse-v2': 79, znver4: 93},
  },
  {
    name: 'Pool: max',
    object: 'kernels/pool/pool',
    inFunction: /^void PoolOneRow<PoolMax>/,
    kind: 'elements',
    lines: {'neoverse-n1': 94, 'neoverse-v1': 46, 'neoverse-v2': 46, znver4: 90},
  },
  {
    name: 'Reduce: sum',
    object: 'kernels/reduce/reduce',
    inFunction: /^SumFold::Elem FoldRow</,
    kind: 'elements',
    lines: {'neoverse-n1': 93, 'neoverse-v1': 61, 'neoverse-v2': 61, znver4: 30},
  },
  {
    name: 'Pointwise: Exp',
    object: 'kernels/pointwise/interpreter',
    inFunction: /^Map<&Exp\b.*Kernel/,
    kind: 'elements',
    lines: {'neoverse-n1': 85, 'neoverse-v1': 80, 'neoverse-v2': 80, znver4: 95},
  },
  {
    name: 'Pointwise: Tanh',
    object: 'kernels/pointwise/interpreter',
    inFunction: /^Map<&Tanh\b.*Kernel/,
    kind: 'elements',
    lines: {'neoverse-n1': 78, 'neoverse-v1': 74, 'neoverse-v2': 70, znver4: 73},
  },
  {
    name: 'Pointwise: Sigmoid',
    object: 'kernels/pointwise/interpreter',
    inFunction: /^Map<&Sigmoid\b.*Kernel/,
    kind: 'elements',
    lines: {'neoverse-n1': 74, 'neoverse-v1': 71, 'neoverse-v2': 67, znver4: 76},
  },
  {
    name: 'Pointwise: GeluErf',
    object: 'kernels/pointwise/interpreter',
    inFunction: /^Map<&GeluErf\b.*Kernel/,
    kind: 'elements',
    lines: {'neoverse-n1': 82, 'neoverse-v1': 80, 'neoverse-v2': 77, znver4: 84},
  },
  {
    name: 'Pointwise: Add',
    object: 'kernels/pointwise/interpreter',
    inFunction: /^Map<&Add\b.*Kernel/,
    kind: 'elements',
    lines: {'neoverse-n1': 92, 'neoverse-v1': 66, 'neoverse-v2': 58, znver4: 93},
  },
];
