/**
 * What does not run as a plan yet, model by model; all models give TensorFlow's results and none calls tfjs-backend-cpu. The tests hold every line
 * to be true: when one no longer is, they say so and it goes.
 */

/** Models whose compiled calls run eagerly: why. All others have plans for each signature. */
export const eager: Readonly<Record<string, RegExp>> = {
  'hashtable-string': /an input is a string tensor/,
};

/** Models some of whose calls end eagerly: why. */
export const tails: Readonly<Record<string, RegExp>> = {};
