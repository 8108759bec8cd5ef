/**
 * What does not work yet or not natively, model by model. The tests hold every line to be true: when one no longer is, they say so and it goes.
 */

/** Kernels that run on tfjs-backend-cpu. All other models run with GRAVITON_FALLBACK=error. */
export const fallbacks: Readonly<Record<string, readonly string[]>> = {
  'cyclegan-generator-tiny': ['Conv2DBackpropInput'],
  'demucs-tiny': ['Conv2DBackpropInput'],
  'doctr-det-dbnet-tiny': ['Conv2DBackpropInput'],
  'dynamic-shape-ops': ['Unique'],
  'int-bool-ops': ['ScatterNd'],
  'rfft-irfft': ['FFT', 'IFFT', 'Multiply'],
  'stargan-generator-tiny': ['Conv2DBackpropInput'],
  stft: ['FFT'],
  't5-hf-generate': ['TensorScatterUpdate'],
};

// tfjs-converter takes control inputs of variadic nodes inside lowered Switch/Merge branches for data inputs.
const controlInputs = /Pack: tensors must be alike/;
// It cannot tell that loop and branch functions depend on the inputs that are given.
const generation = /Cannot compute the outputs \[Identity\]/;

/** Models that tfjs-converter 4.22 gets wrong on any backend: how they fail. */
export const wrong: Readonly<Record<string, RegExp>> = {
  'bart-mnli-switchmerge-tiny': controlInputs,
  'bart-switchmerge-tiny': controlInputs,
  'gpt2-generate-loop-v1': generation,
  // It ignores is_training of FusedBatchNormV3, whose mean and variance are then empty.
  'keras-layernorm-fusedbn': /Pointwise input would reach/,
  'marian-switchmerge-tiny': controlInputs,
  'opt-past-tiny': controlInputs,
  'opt-tiny': controlInputs,
  // Complex Multiply of tfjs-backend-cpu gives NaN where it broadcasts.
  'rfft-irfft': /error of y for b1: expected (Infinity|NaN)/,
  't5-hf-generate': generation,
};

const read = /the elements of a derived \w+ tensor \(\d+ elements\) are read in JavaScript/;

/** Models whose compiled calls run eagerly: why. All others have a plan for each signature. */
export const eager: Readonly<Record<string, RegExp>> = {
  'bart-mnli-tiny': read,
  'dynamic-shape-ops': read,
  'hashtable-string': /an input is a string tensor/,
  'longformer-tiny': read,
  stft: /FFT takes a complex64 tensor/,
  'tf1-frozen-control-flow': read,
  'yolov3-nms-tiny': read,
};
