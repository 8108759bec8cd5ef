import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {compile} from '../../src';
import {precision} from '../../src/compile/passes/precision';
import {precisionFrom} from '../../src/compile/precision';
import {native} from '../../src/native';
import {packLayouts} from '../../src/ops/linear';
import {rewrites} from './pass-harness';

const weights = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -12];
const product = 'batch1: 1, batch2: 1, rowsM: 2, colsN: 3, depthK: 4, aRow: 4, aCol: 1, bRow: 3, bCol: 1, cRow: 3';
const before = `
  inputs: v0 float32[8], v1 float32[12]
  constants: v2 float32[12] = c0
  v3 float32[6] = MatMul(v0, v2, -) {${product}}
  v4 float32[6] = MatMul(v0, v1, -) {${product}}
  outputs: v3, v4`;

function random(shape: number[], seed: number): tf.Tensor {
  return tf.tidy(() => tf.randomUniform(shape, -1, 1, 'float32', seed));
}

/** Largest difference as a part of the largest magnitude. */
function errorOf(got: tf.Tensor, wanted: tf.Tensor): number {
  return tf.tidy(() => tf.div(tf.max(tf.abs(tf.sub(got, wanted))), tf.max(tf.abs(wanted))).dataSync()[0] as number);
}

describe('pass precision', () => {
  const elems = native().packedElems(packLayouts.gemmBf16, 4, 3, 1);
  const hasBf16 = elems > 0;

  rewrites('leaves everything as it is unless it is asked for', precision, {constants: [weights], before, nodes: [2, 2]});

  rewrites('rounds constant weights to bfloat16 where the processor multiplies it, and says where it does not', precision, {
    constants: [weights],
    precision: {fpmath: 'bf16', weights: 'fp32'},
    before,
    ...(hasBf16
      ? {
          after: `
            inputs: v0 float32[8], v1 float32[12]
            constants: v5 bfloat16[${elems}] = c1
            v3 float32[6] = MatMul(v0, v5, -) {${product}, packedB: ${packLayouts.gemmBf16}} # bf16
            v4 float32[6] = MatMul(v0, v1, -) {${product}}
            outputs: v3, v4`,
        }
      : {reasons: [/bf16: this instruction set has no products in bfloat16/]}),
    nodes: [2, 2],
    // One rounding of each operand: 2⁻⁸ of Σ|a·b|, which is a few times the largest sum.
    tolerance: 2 ** -6,
  });

  describe('of compile', () => {
    let x: tf.Tensor2D;
    let w: tf.Tensor2D;
    beforeEach(async () => {
      await tf.setBackend('graviton');
      x = random([7, 40], 1) as tf.Tensor2D;
      w = random([40, 33], 2) as tf.Tensor2D;
    });
    afterEach(() => {
      tf.dispose([x, w]);
      tf.env().set('GRAVITON_FPMATH', null as never);
      delete process.env.DNNL_DEFAULT_FPMATH_MODE;
    });

    it('is chosen by option before flag before environment variable', () => {
      expect(precisionFrom({})).to.deep.equal({fpmath: 'fp32', weights: 'fp32'});
      process.env.DNNL_DEFAULT_FPMATH_MODE = 'BF16';
      expect(precisionFrom({}).fpmath).to.equal('bf16');
      tf.env().set('GRAVITON_FPMATH', 'fp32');
      expect(precisionFrom({}).fpmath).to.equal('fp32');
      expect(precisionFrom({fpmath: 'bf16'}).fpmath).to.equal('bf16');
    });

    it('refuses modes that there are not', () => {
      expect(() => compile((a: tf.Tensor) => a, {fpmath: 'fp16' as 'bf16'})).to.throw(/ERR_OPTION.*option fpmath is 'fp16'/);
      expect(() => compile((a: tf.Tensor) => a, {weights: 'int4' as 'int8'})).to.throw(/ERR_OPTION.*option weights is 'int4'/);
    });

    it('rounds within the tolerance, says so in explain(), and leaves the weights as they are', () => {
      const f = compile((a: tf.Tensor2D) => tf.relu(tf.matMul(a, w)), {fpmath: 'bf16', freeze: true});
      f(x).dispose();
      const wanted = tf.relu(tf.matMul(x, w));
      const got = f(x);
      const [step] = f.explain().plans[0]?.steps ?? [];
      expect(step?.precision).to.equal(hasBf16 ? 'bf16' : 'fp32');
      if (hasBf16) expect(f.explain().text).to.match(/MatMul\+.*bf16/);
      else expect(f.explain({reasons: true}).text).to.match(/bf16: this instruction set/);
      const error = errorOf(got, wanted);
      expect(error).to.be.below(2 ** -7);
      if (hasBf16) expect(error).to.be.above(2 ** -14);
      const kept = tf.relu(tf.matMul(x, w));
      expect(errorOf(kept, wanted)).to.equal(0);
      f.dispose();
      tf.dispose([wanted, got, kept]);
    });

    it('quantises weights to int8 within the tolerance', () => {
      const hasInt8 = native().packedElems(packLayouts.gemmInt8, 40, 33, 1) > 0;
      const f = compile((a: tf.Tensor2D) => tf.matMul(a, w), {weights: 'int8', fpmath: 'bf16', freeze: true});
      f(x).dispose();
      const [wanted, got] = [tf.matMul(x, w), f(x)];
      expect(f.explain().plans[0]?.steps[0]?.precision).to.equal(hasInt8 ? 'int8' : 'fp32');
      // Half a step of 1/127 in each operand of 40 products whose signs differ.
      expect(errorOf(got, wanted)).to.be.below(0.02);
      f.dispose();
      tf.dispose([wanted, got]);
    });

    it('keeps a convolution in float32 where Winograd takes less time, as it does without a matrix unit', () => {
      const inTiles = native().gainsBySplitting(1024, 1024, 1024);
      const image = random([1, 56, 56, 64], 3) as tf.Tensor4D;
      const filter = random([3, 3, 64, 64], 4) as tf.Tensor4D;
      const f = compile((a: tf.Tensor4D) => tf.conv2d(a, filter, 1, 'same'), {fpmath: 'bf16'});
      f(image).dispose();
      const {precision: chosen, label} = f.explain().plans[0]?.steps[0] ?? {};
      expect(`${label} ${chosen}`).to.equal(inTiles ? 'Conv2D+bf16 bf16' : 'Conv2D+Winograd F(4x4, 3x3) fp32');
      f.dispose();
      tf.dispose([image, filter]);
    });
  });
});
