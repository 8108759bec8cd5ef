import type {Pass} from '../../src/compile/pass';
import {expandDepthwise} from '../../src/compile/passes/expand-depthwise';
import {packing} from '../../src/compile/passes/packing';
import {rewrites} from './pass-harness';

/** Weights are packed by then. */
const pass: Pass = {...expandDepthwise, run: (graph, context) => expandDepthwise.run(packing.run(graph, context), context)};

const ones = (name: string) => `${name}H: 1, ${name}W: 1`;
/** An image of `size` x 64 pixels: 2 channels to 64, then 3x3 windows of each. */
const graph = (size: number, outputs = 'v6') => {
  const elems = size * 64 * 64;
  const image = `batch: 1, inH: ${size}, inW: 64`;
  const strides = `yBatch: ${elems}, yRow: 4096, yCol: 64`;
  return `
    inputs: v0 float32[${size * 128}]
    constants: v1 float32[128] = c0, v2 float32[64] = c1, v3 float32[576] = c2, v4 float32[64] = c3
    v5 float32[${elems}] = Conv2D(v0, v1, v2) {${image}, inC: 2, outH: ${size}, outW: 64, outC: 64, ${ones('filter')}, ${ones('stride')}, ${ones('dilation')}, xBatch: ${size * 128}, xRow: 128, xCol: 2, ${strides}, groups: 1, epilogue: Relu6(x0)} # Relu6
    v6 float32[${elems}] = DepthwiseConv2D(v5, v3, v4) {${image}, inC: 64, outH: ${size}, outW: 64, outC: 64, filterH: 3, filterW: 3, ${ones('stride')}, padTop: 1, padLeft: 1, ${ones('dilation')}, xBatch: ${elems}, xRow: 4096, xCol: 64, ${strides}, multiplier: 1}
    outputs: ${outputs}`;
};
const weights = [128, 64, 576, 64].map((count) => Array.from({length: count}, (_, i) => Math.sin(i)));

const packed = (text: string) =>
  text
    .replace('v1 float32[128] = c0, ', '')
    .replace('= c3', '= c3, v7 float32[128] = c4')
    .replace('(v0, v1,', '(v0, v7,')
    .replace('groups: 1, ', 'groups: 1, packedFilter: 1, ')
    .replace('# Relu6', '# Relu6, packed');
const fused = `
    inputs: v0 float32[8192]
    constants: v2 float32[64] = c1, v3 float32[576] = c2, v4 float32[64] = c3, v7 float32[128] = c4
    v6 float32[262144] = ExpandDepthwiseConv2D(v0, v7, v2, v3, v4) {batch: 1, inH: 64, inW: 64, inC: 64, outH: 64, outW: 64, outC: 64, filterH: 3, filterW: 3, ${ones('stride')}, padTop: 1, padLeft: 1, ${ones('dilation')}, xBatch: 8192, xRow: 128, xCol: 2, yBatch: 262144, yRow: 4096, yCol: 64, depthK: 2, packedFilter: 1, expansion: Relu6(x0)} # Relu6, packed
    outputs: v6`;
const common = {constants: weights, tolerance: 1e-6};

describe('pass expand-depthwise', () => {
  rewrites('makes and reads a large expanded image in bands', pass, {...common, before: graph(64), after: fused, nodes: [2, 1]});
  rewrites('leaves what fits into the cache', pass, {
    ...common,
    before: graph(63),
    after: packed(graph(63)),
    nodes: [2, 2],
    reasons: [/expanded image fits into the cache/],
  });
  const both = graph(64, 'v5, v6');
  rewrites('leaves an expanded image that is a result', pass, {...common, before: both, after: packed(both), nodes: [2, 2]});
});
