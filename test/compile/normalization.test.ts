import {normalization} from '../../src/compile/passes/normalization';
import {rewrites} from './pass-harness';

/** Two sums of 4 elements and a root in another order: some 16 roundings of 2⁻²⁴, more where a variance is small. */
const tolerance = 1e-5;
const gamma = [1, 0.5, -2, 3];
const beta = [0.25, 1, -1, 0];

/** Mean (v2), difference (v3) and variance (v5) of three rows of four. */
const statistics = `
  v2 float32[3] = Reduce(v0) {kind: 1, outer: 3, reduce: 4, inner: 1}
  v3 float32[12] = Pointwise(v0, v2) {shape: [3,4], strides: [4,1,1,0,4,1], program: Sub(x0, x1)}
  v4 float32[12] = Pointwise(v3) {shape: [12], strides: [1,1], program: Square(x0)}
  v5 float32[3] = Reduce(v4) {kind: 1, outer: 3, reduce: 4, inner: 1}`;
const inverse = 'v6 float32[3] = Pointwise(v5) {shape: [3], strides: [1,1], program: Rsqrt(Add(x0, 1e-5))}';

describe('pass normalization', () => {
  rewrites('finds a layer norm with scale and shift', normalization, {
    constants: [gamma, beta],
    before: `
      inputs: v0 float32[12]
      constants: v7 float32[4] = c0, v8 float32[4] = c1
      ${statistics}
      ${inverse}
      v9 float32[12] = Pointwise(v3, v6) {shape: [3,4], strides: [4,1,1,0,4,1], program: Mul(x0, x1)}
      v10 float32[12] = Pointwise(v9, v7) {shape: [3,4], strides: [4,1,0,1,4,1], program: Mul(x0, x1)}
      v11 float32[12] = Pointwise(v10, v8) {shape: [3,4], strides: [4,1,0,1,4,1], program: Add(x0, x1)}
      outputs: v11`,
    after: `
      inputs: v0 float32[12]
      constants: v7 float32[4] = c0, v8 float32[4] = c1
      ${statistics}
      ${inverse}
      v9 float32[12] = Pointwise(v3, v6) {shape: [3,4], strides: [4,1,1,0,4,1], program: Mul(x0, x1)}
      v10 float32[12] = Pointwise(v9, v7) {shape: [3,4], strides: [4,1,0,1,4,1], program: Mul(x0, x1)}
      v11 float32[12] = Normalize(v0, v7, v8) {rows: 3, cols: 4, epsilon: 0.000009999999747378752, xRow: 4, yRow: 4} # layer norm
      outputs: v11`,
    nodes: [8, 8],
    tolerance,
  });

  // As Keras and TensorFlow's batch_normalization write it: x · (inverse · gamma) + (beta − mean · (inverse · gamma)).
  rewrites('finds a layer norm that multiplies scale and shift out', normalization, {
    constants: [gamma, beta],
    before: `
      inputs: v0 float32[12]
      constants: v7 float32[4] = c0, v8 float32[4] = c1
      ${statistics}
      ${inverse}
      v9 float32[12] = Pointwise(v6, v7) {shape: [3,4], strides: [1,0,0,1,4,1], program: Mul(x0, x1)}
      v10 float32[12] = Pointwise(v2, v9, v8) {shape: [3,4], strides: [1,0,4,1,0,1,4,1], program: Sub(x2, Mul(x0, x1))}
      v11 float32[12] = Pointwise(v0, v9) {shape: [12], strides: [1,1,1], program: Mul(x0, x1)}
      v12 float32[12] = Pointwise(v11, v10) {shape: [12], strides: [1,1,1], program: Add(x0, x1)}
      outputs: v12`,
    after: `
      inputs: v0 float32[12]
      constants: v7 float32[4] = c0, v8 float32[4] = c1
      ${statistics}
      ${inverse}
      v9 float32[12] = Pointwise(v6, v7) {shape: [3,4], strides: [1,0,0,1,4,1], program: Mul(x0, x1)}
      v10 float32[12] = Pointwise(v2, v9, v8) {shape: [3,4], strides: [1,0,4,1,0,1,4,1], program: Sub(x2, Mul(x0, x1))}
      v11 float32[12] = Pointwise(v0, v9) {shape: [12], strides: [1,1,1], program: Mul(x0, x1)}
      v12 float32[12] = Normalize(v0, v7, v8) {rows: 3, cols: 4, epsilon: 0.000009999999747378752, xRow: 4, yRow: 4} # layer norm
      outputs: v12`,
    nodes: [9, 9],
    tolerance,
  });

  rewrites('finds an RMS norm', normalization, {
    constants: [gamma],
    before: `
      inputs: v0 float32[12]
      constants: v1 float32[4] = c0
      v2 float32[12] = Pointwise(v0) {shape: [12], strides: [1,1], program: Square(x0)}
      v3 float32[3] = Reduce(v2) {kind: 1, outer: 3, reduce: 4, inner: 1}
      v4 float32[3] = Pointwise(v3) {shape: [3], strides: [1,1], program: Rsqrt(Add(x0, 1e-6))}
      v5 float32[12] = Pointwise(v0, v4) {shape: [3,4], strides: [4,1,1,0,4,1], program: Mul(x0, x1)}
      v6 float32[12] = Pointwise(v1, v5) {shape: [3,4], strides: [0,1,4,1,4,1], program: Mul(x0, x1)}
      outputs: v6`,
    after: `
      inputs: v0 float32[12]
      constants: v1 float32[4] = c0
      v2 float32[12] = Pointwise(v0) {shape: [12], strides: [1,1], program: Square(x0)}
      v3 float32[3] = Reduce(v2) {kind: 1, outer: 3, reduce: 4, inner: 1}
      v4 float32[3] = Pointwise(v3) {shape: [3], strides: [1,1], program: Rsqrt(Add(x0, 1e-6))}
      v5 float32[12] = Pointwise(v0, v4) {shape: [3,4], strides: [4,1,1,0,4,1], program: Mul(x0, x1)}
      v6 float32[12] = Normalize(v0, v1, -) {kind: 1, rows: 3, cols: 4, epsilon: 9.999999974752427e-7, xRow: 4, yRow: 4} # RMS norm
      outputs: v6`,
    nodes: [5, 5],
    tolerance,
  });

  rewrites('leaves a scale of another power', normalization, {
    before: `
      inputs: v0 float32[12]
      constants:
      ${statistics}
      v6 float32[3] = Pointwise(v5) {shape: [3], strides: [1,1], program: Reciprocal(Add(x0, 1e-5))}
      v7 float32[12] = Pointwise(v3, v6) {shape: [3,4], strides: [4,1,1,0,4,1], program: Mul(x0, x1)}
      outputs: v7`,
    nodes: [6, 6],
  });

  rewrites('leaves an epsilon that is added to the root', normalization, {
    before: `
      inputs: v0 float32[12]
      constants:
      ${statistics}
      v6 float32[12] = Pointwise(v3, v5) {shape: [3,4], strides: [4,1,1,0,4,1], program: Div(x0, Add(Sqrt(x1), 1e-5))}
      outputs: v6`,
    nodes: [5, 5],
  });

  // The mean is that of another tensor.
  rewrites('leaves what subtracts the mean of something else', normalization, {
    before: `
      inputs: v0 float32[12], v1 float32[12]
      constants:
      v2 float32[3] = Reduce(v1) {kind: 1, outer: 3, reduce: 4, inner: 1}
      v3 float32[12] = Pointwise(v0, v2) {shape: [3,4], strides: [4,1,1,0,4,1], program: Sub(x0, x1)}
      v4 float32[12] = Pointwise(v3) {shape: [12], strides: [1,1], program: Square(x0)}
      v5 float32[3] = Reduce(v4) {kind: 1, outer: 3, reduce: 4, inner: 1}
      ${inverse}
      v7 float32[12] = Pointwise(v3, v6) {shape: [3,4], strides: [4,1,1,0,4,1], program: Mul(x0, x1)}
      outputs: v7`,
    nodes: [6, 6],
  });

  rewrites('leaves a scale that varies along the rows', normalization, {
    constants: [[2, 3, 4]],
    before: `
      inputs: v0 float32[12]
      constants: v7 float32[3] = c0
      ${statistics}
      v6 float32[3] = Pointwise(v5, v7) {shape: [3], strides: [1,1,1], program: Mul(x1, Rsqrt(Add(x0, 1e-5)))}
      v8 float32[12] = Pointwise(v3, v6) {shape: [3,4], strides: [4,1,1,0,4,1], program: Mul(x0, x1)}
      outputs: v8`,
    nodes: [6, 6],
  });

  // Sums, not means: the divisor is missing.
  rewrites('leaves sums of squares', normalization, {
    before: `
      inputs: v0 float32[12]
      constants:
      v2 float32[12] = Pointwise(v0) {shape: [12], strides: [1,1], program: Square(x0)}
      v3 float32[3] = Reduce(v2) {kind: 0, outer: 3, reduce: 4, inner: 1}
      v4 float32[3] = Pointwise(v3) {shape: [3], strides: [1,1], program: Rsqrt(Add(x0, 1e-6))}
      v5 float32[12] = Pointwise(v0, v4) {shape: [3,4], strides: [4,1,1,0,4,1], program: Mul(x0, x1)}
      outputs: v5`,
    nodes: [4, 4],
  });

  // Instance norm over the outer axis.
  rewrites('leaves means over the outer axis', normalization, {
    before: `
      inputs: v0 float32[12]
      constants:
      v2 float32[4] = Reduce(v0) {kind: 1, outer: 1, reduce: 3, inner: 4}
      v3 float32[12] = Pointwise(v0, v2) {shape: [3,4], strides: [4,1,0,1,4,1], program: Sub(x0, x1)}
      v4 float32[12] = Pointwise(v3) {shape: [12], strides: [1,1], program: Square(x0)}
      v5 float32[4] = Reduce(v4) {kind: 1, outer: 1, reduce: 3, inner: 4}
      v6 float32[4] = Pointwise(v5) {shape: [4], strides: [1,1], program: Rsqrt(Add(x0, 1e-5))}
      v7 float32[12] = Pointwise(v3, v6) {shape: [3,4], strides: [4,1,0,1,4,1], program: Mul(x0, x1)}
      outputs: v7`,
    nodes: [6, 6],
  });
});
