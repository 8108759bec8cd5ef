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
      v11 float32[12] = Normalize(v0, v7, v8) {rows: 3, cols: 4, positions: 1, groups: 1, xRow: 4, yRow: 4, correction: 1, epsilon: 0.000009999999747378752} # layer norm
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
      v12 float32[12] = Normalize(v0, v7, v8) {rows: 3, cols: 4, positions: 1, groups: 1, xRow: 4, yRow: 4, correction: 1, epsilon: 0.000009999999747378752} # layer norm
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
      v6 float32[12] = Normalize(v0, v1, -) {kind: 1, rows: 3, cols: 4, positions: 1, groups: 1, xRow: 4, yRow: 4, correction: 1, epsilon: 9.999999974752427e-7} # RMS norm
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

  // As a model writes it that divides by the unbiased deviation: 4 / 3 times the variance.
  rewrites('finds a corrected deviation and an epsilon beside the root', normalization, {
    before: `
      inputs: v0 float32[12]
      constants:
      ${statistics}
      v6 float32[3] = Pointwise(v5) {shape: [3], strides: [1,1], program: Add(Sqrt(Mul(x0, 1.3333333730697632)), 1e-5)}
      v7 float32[12] = Pointwise(v3, v6) {shape: [3,4], strides: [4,1,1,0,4,1], program: Div(x0, x1)}
      outputs: v7`,
    after: `
      inputs: v0 float32[12]
      constants:
      ${statistics}
      v6 float32[3] = Pointwise(v5) {shape: [3], strides: [1,1], program: Add(Sqrt(Mul(x0, 1.3333333730697632)), 1e-5)}
      v7 float32[12] = Normalize(v0, -, -) {rows: 3, cols: 4, positions: 1, groups: 1, xRow: 4, yRow: 4, correction: 1.3333333730697632, spreadEpsilon: 0.000009999999747378752} # layer norm
      outputs: v7`,
    nodes: [6, 6],
    tolerance,
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

  // Division by the length of the row: four times the mean of squares.
  rewrites('finds sums of squares', normalization, {
    before: `
      inputs: v0 float32[12]
      constants:
      v2 float32[12] = Pointwise(v0) {shape: [12], strides: [1,1], program: Square(x0)}
      v3 float32[3] = Reduce(v2) {kind: 0, outer: 3, reduce: 4, inner: 1}
      v4 float32[3] = Pointwise(v3) {shape: [3], strides: [1,1], program: Rsqrt(Add(x0, 1e-6))}
      v5 float32[12] = Pointwise(v0, v4) {shape: [3,4], strides: [4,1,1,0,4,1], program: Mul(x0, x1)}
      outputs: v5`,
    after: `
      inputs: v0 float32[12]
      constants:
      v2 float32[12] = Pointwise(v0) {shape: [12], strides: [1,1], program: Square(x0)}
      v3 float32[3] = Reduce(v2) {outer: 3, reduce: 4, inner: 1}
      v4 float32[3] = Pointwise(v3) {shape: [3], strides: [1,1], program: Rsqrt(Add(x0, 1e-6))}
      v5 float32[12] = Normalize(v0, -, -) {kind: 1, rows: 3, cols: 4, positions: 1, groups: 1, xRow: 4, yRow: 4, correction: 4, epsilon: 9.999999974752427e-7} # RMS norm
      outputs: v5`,
    nodes: [4, 4],
    tolerance,
  });

  rewrites('leaves the difference to a sum', normalization, {
    before: `
      inputs: v0 float32[12]
      constants:
      v2 float32[3] = Reduce(v0) {kind: 0, outer: 3, reduce: 4, inner: 1}
      v3 float32[12] = Pointwise(v0, v2) {shape: [3,4], strides: [4,1,1,0,4,1], program: Sub(x0, x1)}
      v4 float32[12] = Pointwise(v3) {shape: [12], strides: [1,1], program: Square(x0)}
      v5 float32[3] = Reduce(v4) {kind: 1, outer: 3, reduce: 4, inner: 1}
      v6 float32[12] = Pointwise(v0, v2, v5) {shape: [3,4], strides: [4,1,1,0,1,0,4,1], program: Mul(Sub(x0, x1), Rsqrt(Add(x2, 1e-5)))}
      outputs: v6`,
    nodes: [5, 5],
  });

  // Two images of three pixels and four channels.
  const image = `
      v2 float32[8] = Reduce(v0) {kind: 1, outer: 2, reduce: 3, inner: 4}
      v3 float32[24] = Pointwise(v0, v2) {shape: [2,3,4], strides: [12,4,1,4,0,1,12,4,1], program: Sub(x0, x1)}
      v4 float32[24] = Pointwise(v3) {shape: [24], strides: [1,1], program: Square(x0)}
      v5 float32[8] = Reduce(v4) {kind: 1, outer: 2, reduce: 3, inner: 4}
      v6 float32[8] = Pointwise(v5) {shape: [8], strides: [1,1], program: Rsqrt(Add(x0, 1e-5))}
      v9 float32[24] = Pointwise(v3, v6) {shape: [2,3,4], strides: [12,4,1,4,0,1,12,4,1], program: Mul(x0, x1)}`;
  rewrites('finds an instance norm', normalization, {
    constants: [gamma, beta],
    before: `
      inputs: v0 float32[24]
      constants: v7 float32[4] = c0, v8 float32[4] = c1
      ${image}
      v10 float32[24] = Pointwise(v9, v7) {shape: [6,4], strides: [4,1,0,1,4,1], program: Mul(x0, x1)}
      v11 float32[24] = Pointwise(v10, v8) {shape: [6,4], strides: [4,1,0,1,4,1], program: Add(x0, x1)}
      outputs: v11`,
    after: `
      inputs: v0 float32[24]
      constants: v7 float32[4] = c0, v8 float32[4] = c1
      ${image}
      v10 float32[24] = Pointwise(v9, v7) {shape: [6,4], strides: [4,1,0,1,4,1], program: Mul(x0, x1)}
      v11 float32[24] = Normalize(v0, v7, v8) {rows: 6, cols: 4, positions: 3, groups: 4, xRow: 4, yRow: 4, correction: 1, epsilon: 0.000009999999747378752} # instance norm
      outputs: v11`,
    nodes: [8, 8],
    tolerance,
  });

  // Sums over pairs of channels, then over three pixels, of which six make a mean.
  const grouped = `
      v2 float32[12] = Reduce(v0) {outer: 12, reduce: 2, inner: 1}
      v3 float32[4] = Reduce(v2) {outer: 2, reduce: 3, inner: 2}
      v4 float32[4] = Pointwise(v3) {shape: [4], strides: [1,1], program: Div(x0, 6)}
      v5 float32[24] = Pointwise(v0, v4) {shape: [2,3,2,2], strides: [12,4,2,1,2,0,1,0,12,4,2,1], program: SquaredDifference(x0, x1)}
      v6 float32[12] = Reduce(v5) {outer: 12, reduce: 2, inner: 1}
      v9 float32[4] = Reduce(v6) {outer: 2, reduce: 3, inner: 2}
      v10 float32[4] = Pointwise(v9) {shape: [4], strides: [1,1], program: Rsqrt(Add(Div(x0, 6), 1e-5))}`;
  rewrites('finds a group norm over two reductions', normalization, {
    constants: [gamma, beta],
    before: `
      inputs: v0 float32[24]
      constants: v7 float32[4] = c0, v8 float32[4] = c1
      ${grouped}
      v11 float32[24] = Pointwise(v0, v4, v10, v7, v8) {shape: [2,3,2,2], strides: [12,4,2,1,2,0,1,0,2,0,1,0,0,0,2,1,0,0,2,1,12,4,2,1], program: Add(Mul(Mul(Sub(x0, x1), x2), x3), x4)}
      outputs: v11`,
    after: `
      inputs: v0 float32[24]
      constants: v7 float32[4] = c0, v8 float32[4] = c1
      ${grouped}
      v11 float32[24] = Normalize(v0, v7, v8) {rows: 6, cols: 4, positions: 3, groups: 2, xRow: 4, yRow: 4, correction: 1, epsilon: 0.000009999999747378752} # group norm
      outputs: v11`,
    nodes: [8, 8],
    tolerance,
  });

  // One group of three pixels and four channels, with factors for each channel.
  rewrites('finds a norm of whole samples with factors for columns', normalization, {
    constants: [gamma],
    before: `
      inputs: v0 float32[24]
      constants: v7 float32[4] = c0
      v2 float32[2] = Reduce(v0) {kind: 1, outer: 2, reduce: 12, inner: 1}
      v3 float32[24] = Pointwise(v0, v2) {shape: [2,12], strides: [12,1,1,0,12,1], program: SquaredDifference(x0, x1)}
      v4 float32[2] = Reduce(v3) {kind: 1, outer: 2, reduce: 12, inner: 1}
      v5 float32[24] = Pointwise(v0, v2, v4, v7) {shape: [2,3,4], strides: [12,4,1,1,0,0,1,0,0,0,0,1,12,4,1], program: Mul(Div(Sub(x0, x1), Sqrt(Add(x2, 1e-5))), x3)}
      outputs: v5`,
    after: `
      inputs: v0 float32[24]
      constants: v7 float32[4] = c0
      v2 float32[2] = Reduce(v0) {kind: 1, outer: 2, reduce: 12, inner: 1}
      v3 float32[24] = Pointwise(v0, v2) {shape: [2,12], strides: [12,1,1,0,12,1], program: SquaredDifference(x0, x1)}
      v4 float32[2] = Reduce(v3) {kind: 1, outer: 2, reduce: 12, inner: 1}
      v5 float32[24] = Normalize(v0, v7, -) {rows: 6, cols: 4, positions: 3, groups: 1, xRow: 4, yRow: 4, correction: 1, epsilon: 0.000009999999747378752} # group norm
      outputs: v5`,
    nodes: [4, 4],
    tolerance,
  });

  rewrites('leaves a variance over other axes than the mean', normalization, {
    before: `
      inputs: v0 float32[12]
      constants:
      v2 float32[4] = Reduce(v0) {kind: 1, outer: 1, reduce: 3, inner: 4}
      v3 float32[12] = Pointwise(v0, v2) {shape: [3,4], strides: [4,1,0,1,4,1], program: SquaredDifference(x0, x1)}
      v5 float32[3] = Reduce(v3) {kind: 1, outer: 3, reduce: 4, inner: 1}
      v7 float32[12] = Pointwise(v0, v2, v5) {shape: [3,4], strides: [4,1,0,1,1,0,4,1], program: Mul(Sub(x0, x1), Rsqrt(Add(x2, 1e-5)))}
      outputs: v7`,
    nodes: [4, 4],
  });
});
