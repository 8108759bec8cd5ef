/**
 * What is not native yet, model by model; all models give TensorFlow's results. The tests hold every line to be true: when one no longer is, they say so and it goes.
 */

/** Kernels that run on tfjs-backend-cpu. All other models run with GRAVITON_FALLBACK=error. */
export const fallbacks: Readonly<Record<string, readonly string[]>> = {
  'cyclegan-generator-tiny': ['Conv2DBackpropInput'],
  'demucs-tiny': ['Conv2DBackpropInput'],
  'doctr-det-dbnet-tiny': ['Conv2DBackpropInput'],
  'dynamic-shape-ops': ['Unique'],
  'int-bool-ops': ['ScatterNd'],
  'rfft-irfft': ['FFT', 'IFFT'],
  'stargan-generator-tiny': ['Conv2DBackpropInput'],
  stft: ['FFT'],
  't5-hf-generate': ['TensorScatterUpdate'],
};

const complex = /FFT takes a complex64 tensor/;
const read = /the elements of a derived \w+ tensor \(\d+ elements\) are read in JavaScript/;

/** Models whose compiled calls run eagerly: why. All others have a plan for each signature. */
export const eager: Readonly<Record<string, RegExp>> = {
  'bart-mnli-switchmerge-tiny': read,
  'bart-mnli-tiny': read,
  'dynamic-shape-ops': read,
  'hashtable-string': /an input is a string tensor/,
  'longformer-tiny': read,
  'rfft-irfft': complex,
  stft: complex,
  't5-hf-generate': read,
  'tf1-frozen-control-flow': read,
  'yolov3-nms-tiny': read,
};
