/** What a model has to do, whoever runs it: multiply-adds and weights to read. */
import type {GraphModel} from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import {modelJson, sizeOf} from './topology';

export interface Work {
  /** Of products and convolutions, two for a multiply-add; a direct convolution is assumed. */
  readonly flops: number;
  /** Of weights that a call reads whole: those that only gathers read are left out. */
  readonly weightBytes: number;
}

type Shapes = readonly (readonly number[] | null)[];

const at = (shape: readonly number[] | null | undefined, axis: number) => shape?.at(axis) ?? 0;

/** FLOP of one kernel call, from the shapes of its inputs and its output. */
const flopsOf: Readonly<Record<string, (inputs: Shapes, output: readonly number[]) => number>> = {
  // The axis that is not an output row is the depth, transposed or not.
  BatchMatMul: ([a], output) => (2 * sizeOf(output) * at(a, -1) * at(a, -2)) / Math.max(1, at(output, -2)),
  Conv2D: ([, filter], output) => 2 * sizeOf(output) * sizeOf((filter ?? []).slice(0, 3)),
  DepthwiseConv2dNative: ([, filter], output) => 2 * sizeOf(output) * sizeOf((filter ?? []).slice(0, 2)),
  Conv2DBackpropInput: ([dy, filter]) => 2 * sizeOf(dy ?? []) * sizeOf((filter ?? []).slice(0, 3)),
};

const sameWork: Readonly<Record<string, string>> = {
  _FusedMatMul: 'BatchMatMul',
  FusedConv2D: 'Conv2D',
  FusedDepthwiseConv2D: 'DepthwiseConv2dNative',
};

async function countedFlops(model: GraphModel, feed: tf.NamedTensorMap): Promise<number> {
  const {kernels} = await tf.profile(async () => (await model.executeAsync(feed, model.outputNodes)) as tf.Tensor[]);
  return kernels.reduce((sum, {name, inputShapes, outputShapes}) => {
    const count = flopsOf[sameWork[name] ?? name];
    return count === undefined ? sum : sum + count(inputShapes, outputShapes[0] as number[]);
  }, 0);
}

interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
}

/** Ops that hand a weight on as it is. */
const passing = new Set(['Identity', 'ReadVariableOp', 'Cast']);
const gathering = new Set(['Gather', 'GatherV2', 'ResourceGather']);

function readWeightBytes(name: string): number {
  const {modelTopology, weightsManifest} = modelJson(name);
  const {node: nodes = []} = modelTopology as {node?: GraphNode[]};
  const consumers = new Map<string, GraphNode[]>();
  for (const node of nodes) {
    for (const input of node.input ?? []) {
      const source = input.replace(/^\^/, '').replace(/:\d+$/, '');
      consumers.set(source, [...(consumers.get(source) ?? []), node]);
    }
  }
  const isRead = (source: string): boolean =>
    (consumers.get(source) ?? []).some((node) => (passing.has(node.op) ? isRead(node.name) : !gathering.has(node.op)));
  const inGraph = new Set(nodes.map((node) => node.name));
  return weightsManifest
    .flatMap((group) => group.weights)
    .filter((weight) => weight.dtype === 'float32' && (!inGraph.has(weight.name) || isRead(weight.name)))
    .reduce((sum, weight) => sum + 4 * sizeOf(weight.shape), 0);
}

export async function workOf(name: string, model: GraphModel, feed: tf.NamedTensorMap): Promise<Work> {
  return {flops: await countedFlops(model, feed), weightBytes: readWeightBytes(name)};
}
