/** GraphModels of mended topologies: the only part, with the ops that mending puts in, that loads tfjs-converter. */
import {GraphModel} from '@tensorflow/tfjs-converter';
import {clone, io, type NamedTensorMap, type Tensor} from '@tensorflow/tfjs-core';
import {mend} from '../compile/mend';
import {registerMendedOps} from '../compile/mended-ops';
import {errors} from '../errors';

/**
 * tf.GraphModel takes the functions of tf.io that it uses as a constructor argument; `decodeWeights` is where our tensors enter. All else
 * (resources, initialisers, signatures, dispose) is stock.
 */
export class LoadedGraphModel extends GraphModel {
  private ownWeights: ReadonlySet<Tensor> | undefined;

  constructor(
    artifacts: io.ModelArtifacts,
    weights: NamedTensorMap,
    private readonly original: () => Promise<io.ModelArtifacts>,
  ) {
    super({load: async () => mendedArtifacts(artifacts)}, {}, {...io, decodeWeights: () => weights});
    registerMendedOps();
  }

  /** As stock does, but that a weight which is a result comes as a copy that the caller may dispose of. */
  override execute(inputs: Tensor | Tensor[] | NamedTensorMap, outputs?: string | string[]): Tensor | Tensor[] {
    return this.withoutWeights(super.execute(inputs, outputs));
  }

  override async executeAsync(inputs: Tensor | Tensor[] | NamedTensorMap, outputs?: string | string[]): Promise<Tensor | Tensor[]> {
    return this.withoutWeights(await super.executeAsync(inputs, outputs));
  }

  private withoutWeights(results: Tensor | Tensor[]): Tensor | Tensor[] {
    this.ownWeights ??= new Set(Object.values(this.weights).flat());
    const own = [results].flat().map((tensor) => (this.ownWeights?.has(tensor) ? clone(tensor) : tensor));
    return Array.isArray(results) ? own : (own[0] as Tensor);
  }

  /** Writes the model as it was given: weights from files are read again, so that they need not be kept in JavaScript. */
  override async save(target: io.IOHandler | string): Promise<io.SaveResult> {
    const handlers = typeof target === 'string' ? io.getSaveHandlers(target) : [target];
    const save = handlers[0]?.save;
    if (handlers.length !== 1 || save === undefined) {
      const problem = handlers.length > 1 ? `is claimed by ${handlers.length} save handlers` : 'has no save handler';
      throw errors.file(
        typeof target === 'string' ? target : 'the IO handler',
        problem,
        'Give a file:// URL of a folder, or one handler with save().',
      );
    }
    return save.call(handlers[0], await this.original());
  }
}

function mendedArtifacts(artifacts: io.ModelArtifacts): io.ModelArtifacts {
  const topology = artifacts.modelTopology;
  return topology === undefined || topology instanceof ArrayBuffer ? artifacts : {...artifacts, modelTopology: mend(topology)};
}

/**
 * The model itself where nothing in it needs mending, else a model of the mended topology over the same weights: for one that stock
 * tfjs-converter has loaded. Never dispose of the copy: the weights are the original's.
 */
export function mendedModel(model: GraphModel): GraphModel {
  const {artifacts} = model as unknown as {artifacts?: io.ModelArtifacts};
  if (model instanceof LoadedGraphModel || artifacts === undefined) return model;
  const mended = mendedArtifacts(artifacts);
  if (mended.modelTopology === artifacts.modelTopology) return model;
  const weights = Object.fromEntries(
    Object.entries(model.weights).flatMap(([name, [weight]]) => (weight === undefined ? [] : [[name, weight]])),
  );
  const copy = new LoadedGraphModel(mended, weights, async () => artifacts);
  copy.loadSync(mended);
  return copy;
}
