import {canonicalise} from '../../src/compile/passes/canonicalise';
import {rewrites} from './pass-harness';

describe('pass canonicalise', () => {
  rewrites('makes a scalar constant an immediate', canonicalise, {
    constants: [[0.5]],
    before: `
      inputs: v0 float32[4]
      constants: v1 float32[1] = c0
      v2 float32[4] = Pointwise(v0, v1) {shape: [4], strides: [1,0,1], program: Mul(x0, x1)}
      outputs: v2`,
    after: `
      inputs: v0 float32[4]
      constants:
      v2 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Mul(x0, 0.5)}
      outputs: v2`,
    nodes: [1, 1],
  });

  rewrites('makes an int32 scalar constant an int32 immediate', canonicalise, {
    constants: [Int32Array.of(7)],
    before: `
      inputs: v0 int32[4]
      constants: v1 int32[1] = c0
      v2 bool[4] = Pointwise(v0, v1) {shape: [4], strides: [1,0,1], program: LessInt(x0, x1)}
      outputs: v2`,
    after: `
      inputs: v0 int32[4]
      constants:
      v2 bool[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: LessInt(x0, 7)}
      outputs: v2`,
    nodes: [1, 1],
  });

  rewrites('drops a neutral operation and a plain copy', canonicalise, {
    constants: [[1]],
    before: `
      inputs: v0 float32[6]
      constants: v1 float32[1] = c0
      v2 float32[6] = Pointwise(v0, v1) {shape: [6], strides: [1,0,1], program: Mul(x0, x1)}
      v3 float32[6] = StridedCopy(v2) {shape: [2,3], srcStrides: [3,1], dstStrides: [3,1]}
      v4 float32[6] = Pointwise(v3) {shape: [6], strides: [1,1], program: Neg(x0)}
      outputs: v4`,
    after: `
      inputs: v0 float32[6]
      constants:
      v4 float32[6] = Pointwise(v0) {shape: [6], strides: [1,1], program: Neg(x0)}
      outputs: v4`,
    nodes: [3, 1],
  });

  rewrites('folds what immediates alone give', canonicalise, {
    before: `
      inputs: v0 float32[4]
      constants:
      v1 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Mul(x0, Sub(3, 2))}
      v2 float32[4] = Pointwise(v1) {shape: [4], strides: [1,1], program: Add(x0, Div(1, 3))}
      outputs: v2`,
    after: `
      inputs: v0 float32[4]
      constants:
      v2 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Add(x0, 0.33333334)}
      outputs: v2`,
    nodes: [2, 1],
  });

  // x + 0 is not x: -0 + 0 is 0.
  rewrites('keeps the addition of zero', canonicalise, {
    before: `
      inputs: v0 float32[4]
      constants:
      v1 float32[4] = Pointwise(v0) {shape: [4], strides: [1,1], program: Add(x0, 0)}
      outputs: v1`,
    nodes: [1, 1],
  });

  rewrites('keeps a copy that transposes, and one of a part', canonicalise, {
    before: `
      inputs: v0 float32[6]
      constants:
      v1 float32[6] = StridedCopy(v0) {shape: [3,2], srcStrides: [1,3], dstStrides: [2,1]}
      v2 float32[4] = StridedCopy(v1) {shape: [4], srcStrides: [1], dstStrides: [1]}
      outputs: v2`,
    nodes: [2, 2],
  });

  rewrites('keeps a broadcast and a change of type', canonicalise, {
    before: `
      inputs: v0 float32[3], v1 bool[4]
      constants:
      v2 float32[6] = Pointwise(v0) {shape: [2,3], strides: [0,1,3,1], program: Mul(x0, 1)}
      v3 int32[4] = Pointwise(v1) {shape: [4], strides: [1,1], program: CopyInt(x0)}
      outputs: v2, v3`,
    after: `
      inputs: v0 float32[3], v1 bool[4]
      constants:
      v2 float32[6] = Pointwise(v0) {shape: [2,3], strides: [0,1,3,1], program: Copy(x0)}
      v3 int32[4] = Pointwise(v1) {shape: [4], strides: [1,1], program: CopyInt(x0)}
      outputs: v2, v3`,
    nodes: [2, 2],
  });

  // The part's source is larger than what is copied.
  rewrites('keeps what reads a part of a value', canonicalise, {
    before: `
      inputs: v0 float32[8]
      constants:
      v1 float32[4] = Pointwise(v0@4) {shape: [4], strides: [1,1], program: Mul(x0, 1)}
      outputs: v1`,
    after: `
      inputs: v0 float32[8]
      constants:
      v1 float32[4] = Pointwise(v0@4) {shape: [4], strides: [1,1], program: Copy(x0)}
      outputs: v1`,
    nodes: [1, 1],
  });

  rewrites('makes nearest up-sampling a copy that repeats pixels', canonicalise, {
    before: `
      inputs: v0 float32[96]
      constants:
      v1 float32[768] = Resize2D(v0) {kind: 1, batch: 1, inH: 2, inW: 3, channels: 16, outH: 4, outW: 12, halfPixelCenters: true}
      outputs: v1`,
    after: `
      inputs: v0 float32[96]
      constants:
      v1 float32[768] = StridedCopy(v0) {shape: [2,2,3,4,16], srcStrides: [48,0,16,0,1], dstStrides: [384,192,64,16,1]}
      outputs: v1`,
    nodes: [1, 1],
  });

  // By 3: single precision rounds a third. Two channels: the op is faster. Corners, and means: other pixels.
  rewrites('keeps other up-sampling', canonicalise, {
    before: `
      inputs: v0 float32[96], v1 float32[12]
      constants:
      v2 float32[864] = Resize2D(v0) {kind: 1, batch: 1, inH: 2, inW: 3, channels: 16, outH: 6, outW: 9, halfPixelCenters: true}
      v3 float32[48] = Resize2D(v1) {kind: 1, batch: 1, inH: 2, inW: 3, channels: 2, outH: 4, outW: 6, halfPixelCenters: true}
      v4 float32[384] = Resize2D(v0) {kind: 1, batch: 1, inH: 2, inW: 3, channels: 16, outH: 4, outW: 6, alignCorners: true}
      v5 float32[384] = Resize2D(v0) {batch: 1, inH: 2, inW: 3, channels: 16, outH: 4, outW: 6, halfPixelCenters: true}
      outputs: v2, v3, v4, v5`,
    nodes: [4, 4],
  });
});
