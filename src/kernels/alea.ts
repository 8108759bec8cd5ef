/**
 * The random numbers in [0, 1) that tfjs draws from a seed: Johannes Baagøe's Alea (2010), a multiply-with-carry generator over three
 * fractions of 32 bits, whose state a hash of the seed's characters fills.
 */
const unit = 2 ** -32;

function hasher(): (text: string) => number {
  let state = 0xefc8249d;
  return (text) => {
    for (const character of text) {
      state += character.charCodeAt(0);
      let h = 0.02519603282416938 * state;
      state = h >>> 0;
      h = (h - state) * state;
      state = h >>> 0;
      state += (h - state) / unit;
    }
    return (state >>> 0) * unit;
  };
}

export function alea(seed: string): () => number {
  const hash = hasher();
  const [first, second, third] = [hash(' '), hash(' '), hash(' ')];
  const minus = (x: number): number => {
    const difference = x - hash(seed);
    return difference < 0 ? difference + 1 : difference;
  };
  let [s0, s1, s2] = [minus(first), minus(second), minus(third)];
  let carry = 1;
  return () => {
    const t = 2091639 * s0 + carry * unit;
    carry = Math.floor(t);
    s0 = s1;
    s1 = s2;
    s2 = t - carry;
    return s2;
  };
}
