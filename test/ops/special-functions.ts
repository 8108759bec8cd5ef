/** Double-precision references that JavaScript's Math lacks, good to about 1e-14. */

/** Maclaurin series (Abramowitz & Stegun 7.1.6, all terms of one sign) up to 3, beyond it 1 − erfc. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) > 3) return Math.sign(x) * (1 - erfc(Math.abs(x)));
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** Continued fraction (Abramowitz & Stegun 7.1.14), evaluated from its end, from 2 on; below that 1 − erf. */
export function erfc(x: number): number {
  if (x < 2 || Number.isNaN(x)) return 1 - erf(x);
  let tail = 0;
  for (let n = 120; n >= 1; n--) tail = n / 2 / (x + tail);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + tail);
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Half to even. */
export function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  if (!Number.isFinite(x)) return x;
  const rest = x - down;
  const rounded = rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1;
  return rounded === 0 && (x < 0 || Object.is(x, -0)) ? -0 : rounded;
}
