import {defineOp} from './schema';

/**
 * The discrete Fourier transform of each row of x[rows, cols], in two parts: inputs and outputs are real and imaginary parts, float32.
 * X[k] = Σ x[j] exp(−2πi jk / cols); `inverse`: +2πi, divided by cols. Any length takes O(cols log cols).
 */
export const Fft = defineOp({name: 'Fft', inputs: 2, outputs: 2, params: {rows: 'u32', cols: 'u32', inverse: 'bool'}});

/** out[r, c] = Σ x[r, k] over |k − c| ≤ radius inside the row; float32, dense. */
export const WindowSum = defineOp({name: 'WindowSum', inputs: 1, outputs: 1, params: {rows: 'u32', cols: 'u32', radius: 'u32'}});
