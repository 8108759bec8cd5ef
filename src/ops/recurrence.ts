import {defineOp} from './schema';

/**
 * A recurrent layer from step to step (LSTM: Hochreiter & Schmidhuber 1997; GRU: Cho et al. 2014); float32. For t = 0 … steps − 1:
 * z = hₜ₋₁ · w, cₜ = cell(…), hₜ = hidden(…), all [batch, units] but z[batch, gates · units]; outputs: all hₜ, the last cₜ.
 *
 * Inputs: h₋₁[batch, units] and c₋₁[batch, units], dense, with w[units, gates · units] between them, then the programs' own inputs.
 * `cell` and `hidden`: Pointwise programs whose inputs are the `gates` parts of z, hₜ₋₁, the cell and their own inputs. The cell is cₜ₋₁ for
 * `cell` and cₜ for `hidden`. c₋₁ absent, `cell` empty: there is no cell, its place repeats hₜ₋₁, and the second output is not written.
 * `packedB`, `bRow`, `bCol`: as for MatMul. `outStep`, `outRow`: strides of hₜ, whose units are contiguous and which do not overlap. `strides`: three per own input,
 * over (steps, batch, units).
 */
export const Recurrence = defineOp({
  name: 'Recurrence',
  inputs: [3, 32],
  outputs: 2,
  params: {
    steps: 'u32',
    batch: 'u32',
    units: 'u32',
    gates: 'u32',
    bRow: 'i32',
    bCol: 'i32',
    packedB: 'u32',
    outStep: 'i32',
    outRow: 'i32',
    cell: 'list',
    hidden: 'list',
    strides: 'list',
  },
});
