/**
 * What does not run as a plan yet, model by model; all models give TensorFlow's results and none calls tfjs-backend-cpu. The tests hold every line
 * to be true: when one no longer is, they say so and it goes.
 */

const read = /the elements of a derived \w+ tensor \(\d+ elements\) are read in JavaScript/;

/** Models whose compiled calls run eagerly: why. All others have a plan for each signature. */
export const eager: Readonly<Record<string, RegExp>> = {
  'bart-mnli-switchmerge-tiny': read,
  'bart-mnli-tiny': read,
  'dynamic-shape-ops': read,
  'hashtable-string': /an input is a string tensor/,
  'longformer-tiny': read,
  't5-hf-generate': read,
  'tf1-frozen-control-flow': read,
  'yolov3-nms-tiny': read,
};
