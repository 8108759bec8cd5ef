/** Native blocks: what is given back, what waits for the next tensor, and that it is bounded. */
import {expect} from 'chai';
import {native} from '../../src/native';
import {Fill} from '../../src/ops/movement';

const mib = 1 << 20;
const filled = (elems: number, value: number) => native().runOne(Fill, [], 'float32', elems, {count: elems, value});
const rss = () => process.memoryUsage().rss;

describe('native memory', () => {
  beforeEach(() => native().freeArenas());
  after(() => native().freeArenas());

  it('counts tensors of every size until they are released', () => {
    const before = native().stats();
    const sizes = [0, 1, 100, 240, 241, 1000, 1024, 1025, 16383, 16384, 16385, 600_000, 3_000_000, 40_000_000];
    const slots = sizes.map((elems) => filled(elems, 1));
    expect(native().stats().tensorBytes - before.tensorBytes).to.equal(4 * sizes.reduce((a, b) => a + b));
    for (const slot of slots) native().release(slot);
    const {tensors, tensorBytes} = native().stats();
    expect({tensors, tensorBytes}).to.deep.equal({tensors: before.tensors, tensorBytes: before.tensorBytes});
  });

  it('keeps what tensors hold while blocks change hands', () => {
    const live = new Map<number, {slot: ReturnType<typeof filled>; elems: number}>();
    for (let i = 1; i <= 400; i++) {
      const elems = 15_000 + ((i * 7919) % 90_000);
      live.set(i, {slot: filled(elems, i), elems});
      const old = live.get(i - 5);
      if (old === undefined) continue;
      const values = new Int32Array(native().read(old.slot));
      expect([values.length, values[0], values.at(-1)]).to.deep.equal([old.elems, i - 5, i - 5]);
      native().release(old.slot);
      live.delete(i - 5);
    }
    for (const {slot} of live.values()) native().release(slot);
  });

  it('keeps what was given back last, whatever sizes came before', () => {
    const make = (...sizesMib: readonly number[]) => sizesMib.map((size) => filled((size * mib) / 4, 1));
    const release = (slots: readonly ReturnType<typeof filled>[]) => {
      for (const slot of slots) native().release(slot);
    };
    const cachedMib = () => native().stats().cachedBytes / mib;
    release(make(32, 32, 32, 32));
    expect(cachedMib()).to.equal(128);
    release(make(48));
    expect(cachedMib(), '48 and two of 32').to.equal(112);
    const again = make(48);
    expect(cachedMib(), 'two of 32').to.equal(64);
    release([...again, ...make(160)]);
    expect(cachedMib(), 'larger than the cache').to.equal(112);
    release(make(128));
    expect(cachedMib(), 'as large as the cache').to.equal(128);
    native().freeArenas();
    expect(cachedMib()).to.equal(0);
  });

  it('holds on to 256 MiB at most, and to nothing after freeArenas()', () => {
    const before = rss();
    const slots = Array.from({length: 6}, () => filled((64 * mib) / 4, 0x3f800000));
    expect(rss() - before).to.be.greaterThan(370 * mib);
    for (const slot of slots) native().release(slot);
    expect(rss() - before).to.be.lessThan(300 * mib);
    native().freeArenas();
    expect(rss() - before).to.be.lessThan(40 * mib);
  });
});
