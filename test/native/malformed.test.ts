/**
 * Words that describe no legal call. Valid steps (the rows of the op tests, so every op takes part) and plans made of them are changed at
 * random places; whatever comes out must run or fail with a code: no crash, no hang, no access outside a buffer (npm run test:asan
 * looks for that), no change to operands, no tensor left over.
 *
 * GRAVITON_FUZZ_ROUNDS multiplies the rounds of the daily run, GRAVITON_TEST_PATIENCE the time that a call may take; GRAVITON_TEST_SEED
 * repeats a run.
 */
import {expect} from 'chai';
import {loadAddon} from '../../src/binary';
import {native, opNumber} from '../../src/native';
import {ops} from '../../src/ops';
import {PackWeights} from '../../src/ops/linear';
import type {OpSpec} from '../../src/ops/schema';
import {random, seed} from '../ops/harness';
import {type Sample, samples, stepWords} from './samples';

const rounds = Number(process.env.GRAVITON_FUZZ_ROUNDS ?? 1);

/** The part of the addon that takes words. */
interface Words {
  attach(words: Int32Array): void;
  runStep(): number | undefined;
  runPlan(): number | undefined;
  runPlanAsync(callback: (code: number) => void): number;
  makePlan(words: Int32Array, constantSlots: Int32Array): number;
  dropPlan(plan: number): void;
  store(slot: number, dtype: number, values: ArrayBufferView): number;
  read(slot: number): ArrayBuffer | undefined;
  release(slot: number): void;
  share(slot: number, from: number): number;
  lastError(): string;
  packedElems(layout: number, rowsK: number, colsN: number, taps: number): number;
}
const addon = loadAddon() as Words;

/** Slots far from those that native() gives out, so that a changed number rarely meets another test's tensor. */
const firstSlot = 100_000;
const longestMs = 2000 * Number(process.env.GRAVITON_TEST_PATIENCE ?? 1);

const draw = random(99);
const below = (most: number): number => Math.floor(draw() * most);
const oddWords = [0, -1, 1, 2, 0x7fffffff, -0x80000000, 0x40000000, 0x10000, 0x7fc00000, 0x7f800000, 0xffff, 64, 255];

/** Changes one to three of words[from, end). */
function change(words: Int32Array, from: number, end: number): void {
  for (let changes = 1 + below(3); changes > 0 && end > from; changes--) {
    const at = from + below(end - from);
    const old = words[at] as number;
    const replacements = [
      below(9),
      old + 1,
      old - 1,
      -old,
      old * 2,
      below(2 ** 32) | 0,
      oddWords[below(oddWords.length)],
      words[from + below(end - from)],
    ];
    words[at] = replacements[below(replacements.length)] as number;
  }
}

/** Puts the inputs into slots from firstSlot on and returns their bytes. */
function putInputs(sample: Sample): (ArrayBuffer | undefined)[] {
  return sample.inputs.map((input, i) => {
    addon.attach(native().words);
    const slot = input.make();
    addon.share(firstSlot + i, slot);
    native().release(slot);
    return addon.read(firstSlot + i);
  });
}
function expectInputsUnchanged(sample: Sample, bytes: readonly (ArrayBuffer | undefined)[]): void {
  bytes.forEach((before, i) => {
    const after = addon.read(firstSlot + i);
    const same = before !== undefined && after !== undefined && Buffer.compare(new Uint8Array(before), new Uint8Array(after)) === 0;
    expect(same, `input ${i} of ${sample.name} unchanged, seed ${seed}`).to.equal(true);
    addon.release(firstSlot + i);
  });
}

/** A result code, and how long it took: what must hold for any words. */
function checked(what: string, call: () => number | undefined): number {
  const begin = performance.now();
  const code = call() ?? 0;
  expect(performance.now() - begin, `${what}: milliseconds; seed ${seed}`).to.be.below(longestMs);
  expect(code, `${what}: code`).to.be.within(0, 6);
  if (code !== 0) expect(addon.lastError(), what).to.not.equal('');
  return code;
}

describe('malformed words', () => {
  const words = new Int32Array(1 << 16);
  const all = samples(6 * rounds);
  let before = native().stats();
  beforeEach(() => {
    addon.attach(words);
    before = native().stats();
  });
  afterEach(() => {
    addon.attach(native().words);
    native().freeArenas();
    expect(native().stats().tensors, 'tensors left over').to.equal(before.tensors);
  });

  it('has samples of every op', () => {
    expect([...new Set(all.map(({op}) => op.name))]).to.deep.equal(ops.map(({name}) => name));
  });

  it('in eager steps run or fail, and change no operand', () => {
    const codes = new Array<number>(7).fill(0);
    for (const sample of all) {
      const bytes = putInputs(sample);
      addon.attach(words);
      const firstOutput = firstSlot + sample.inputs.length;
      const step = [
        sample.outputs.length,
        ...sample.outputs.flatMap(({dtype, elems}, i) => [firstOutput + i, dtype, elems]),
        ...stepWords(sample, firstSlot),
      ];
      for (let round = 0; round < 150 * rounds; round++) {
        words.fill(0, 0, step.length + 8);
        words.set(step);
        const stepAt = 1 + 3 * sample.outputs.length;
        if (round > 0) change(words, draw() < 0.7 ? stepAt + 4 : stepAt, step.length);
        // The size of a result is JavaScript's to choose: a little off, not gigabytes.
        if (round > 0 && draw() < 0.05) words[3] = below(2 * (words[3] as number) + 2);
        if (round > 0 && draw() < 0.02) words[2] = below(8) - 1;
        const what = `${sample.name}: ${words.subarray(0, step.length).join(' ')}`;
        const code = checked(what, () => addon.runStep());
        codes[code] = (codes[code] as number) + 1;
        if (round === 0) expect(code, `${what} ${addon.lastError()}`).to.equal(0);
        for (let i = 0; i < sample.outputs.length; i++) addon.release(firstOutput + i);
      }
      expectInputsUnchanged(sample, bytes);
    }
    // Changes that hit nothing that matters run; most do not.
    for (const code of [0, 1, 2, 3]) expect(codes[code], `how often code ${code}`).to.be.greaterThan(0);
  });

  it('as commands of nothing but random words fail', () => {
    for (let round = 0; round < 20_000 * rounds; round++) {
      const most = round % 2 === 0 ? 2 ** 32 : 30;
      for (let i = 0; i < 40; i++) words[i] = below(most) | 0;
      words[0] = below(4); // results
      for (let i = 0; i < 3; i++) {
        words[1 + 3 * i] = firstSlot + i;
        words[3 + 3 * i] = below(100);
      }
      checked(`round ${round}`, () => addon.runStep());
      for (let i = 0; i < 3; i++) addon.release(firstSlot + i);
    }
  });

  /** The step twice: into the arena, then into the results; sizes of results may depend on a free size. */
  function planOf(sample: Sample): {plan: number[]; size: number} {
    const size = 7;
    const once = stepWords(sample, 1);
    const arenaFrom = 1 + sample.inputs.length;
    const twice = [...once];
    const outputsAt = 4 + 2 * sample.given.length;
    sample.outputs.forEach((_, i) => {
      twice[outputsAt + 2 * i] = arenaFrom + sample.outputs.length + i;
    });
    const storages = [
      ...sample.inputs.flatMap(({dtype, elems}, i) => [1, dtype, i, elems]),
      ...sample.outputs.flatMap(({dtype, elems}) => [0, dtype, 0, elems]),
      ...sample.outputs.flatMap(({dtype, elems}, i) => [2, dtype, i, elems]),
    ];
    const storageCount = storages.length / 4;
    const body = [...storages, ...once, ...twice];
    const sizeWord = 4 * sample.inputs.length + 3; // elements of the first arena storage
    const elems = body[sizeWord] as number;
    const relocations = [sizeWord, elems - 3 * size, 1];
    return {plan: [sample.inputs.length, sample.outputs.length, 1, storageCount, 2, 1, 1, ...relocations, 0, 3, ...body], size};
  }

  it('in plans and their calls run or fail, at once or on the dispatcher', async () => {
    const pending: Promise<number>[] = [];
    let ran = 0;
    for (const sample of all) {
      const bytes = putInputs(sample);
      addon.attach(words);
      const firstOutput = firstSlot + sample.inputs.length;
      const {plan, size} = planOf(sample);
      for (let round = 0; round < 60 * rounds; round++) {
        const planWords = Int32Array.from(plan);
        if (round > 0 && draw() < 0.8) change(planWords, draw() < 0.5 ? 0 : 12, planWords.length);
        const made = addon.makePlan(
          round > 0 && draw() < 0.1 ? planWords.subarray(0, below(planWords.length)) : planWords,
          Int32Array.of(),
        );
        expect(made, `makePlan ${plan.join(' ')}`).to.be.greaterThan(-7);
        if (made <= 0) continue;
        const call = [made, sample.inputs.length, ...sample.inputs.map((_, i) => firstSlot + i), sample.outputs.length];
        call.push(...sample.outputs.flatMap(({dtype, elems}, i) => [firstOutput + i, dtype, elems]), 1, size);
        words.set(call);
        if (round > 0 && draw() < 0.3) {
          // Not the results' sizes, see above, and not their slots, which would be left over.
          const at = below(4 + sample.inputs.length);
          change(words, at < 2 + sample.inputs.length ? at : call.length - 2, at < 2 + sample.inputs.length ? at + 1 : call.length);
        }
        const what = `plan ${planWords.join(' ')}, call ${words.subarray(0, call.length).join(' ')}`;
        if (draw() < 0.2) {
          pending.push(
            new Promise((resolve) => {
              const code = addon.runPlanAsync(resolve);
              if (code !== 0) resolve(code);
            }),
          );
          await pending[pending.length - 1];
        } else {
          const code = checked(what, () => addon.runPlan());
          if (code === 0) ran++;
          // Packed weights are buffers of their own, not part of an arena.
          if (round === 0 && sample.op !== PackWeights) expect(code, `${what} ${addon.lastError()}`).to.equal(0);
        }
        for (let i = 0; i < sample.outputs.length; i++) addon.release(firstOutput + i);
        addon.dropPlan(made);
      }
      expectInputsUnchanged(sample, bytes);
    }
    for (const code of await Promise.all(pending)) expect(code).to.be.within(0, 6);
    expect(ran).to.be.greaterThan(all.length);
  });

  it('refuse a step that reads its result, or writes to what it did not make', () => {
    addon.store(firstSlot, 0, new Float32Array(4));
    const sum = opNumber(ops.find(({name}) => name === 'Reduce') as OpSpec);
    const run = (input: number, output: number) => {
      words.set([1, firstSlot + 1, 0, 4, sum, 1, 1, 4, input, 0, output, 0, 0, 4, 1, 1]);
      const code = addon.runStep();
      addon.release(firstSlot + 1);
      return code;
    };
    expect(run(firstSlot, firstSlot + 1)).to.equal(undefined);
    expect(run(firstSlot + 1, firstSlot + 1)).to.equal(1);
    expect(addon.lastError()).to.match(/its result and its input/);
    expect(run(firstSlot, firstSlot)).to.equal(1);
    expect(addon.lastError()).to.match(/not its result/);
    addon.release(firstSlot);
  });

  it('refuse a plan in which a step writes over its operand', () => {
    const sum = opNumber(ops.find(({name}) => name === 'Reduce') as OpSpec);
    const storage = [2, 0, 0, 4];
    const made = addon.makePlan(Int32Array.of(0, 1, 0, 1, 1, 0, 0, ...storage, sum, 1, 1, 4, 1, 0, 1, 0, 0, 4, 1, 1), Int32Array.of());
    expect(made).to.be.greaterThan(0);
    words.set([made, 0, 1, firstSlot, 0, 4, 0]);
    expect(addon.runPlan()).to.equal(1);
    expect(addon.lastError()).to.match(/writes over its own operand/);
    addon.dropPlan(made);
  });

  it('in other arguments of the addon do no harm', () => {
    const others: readonly unknown[] = [
      undefined,
      null,
      0,
      -1,
      2 ** 40,
      Number.NaN,
      'x',
      {},
      [],
      new Float64Array(8),
      new Uint8Array(3),
      new DataView(new ArrayBuffer(8)),
      () => 0,
    ];
    const names = [
      'attach',
      'store',
      'read',
      'release',
      'share',
      'makePlan',
      'dropPlan',
      'runPlanAsync',
      'packedElems',
      'configure',
      'setHugePages',
    ];
    const functions = addon as unknown as Readonly<Record<string, (...args: unknown[]) => unknown>>;
    words.fill(0);
    for (const name of names) {
      for (let round = 0; round < 300; round++) {
        const args = Array.from({length: below(5)}, () => others[below(others.length)]);
        if (name === 'store') args[0] = firstSlot;
        functions[name]?.(...args);
      }
    }
    addon.release(firstSlot);
    native().configure({isa: native().info.isa, threads: native().info.cpus, logging: false});
    for (let round = 0; round < 3000; round++) {
      const word = () => (draw() < 0.5 ? below(40) : below(2 ** 32));
      expect(addon.packedElems(below(4), word(), word(), word())).to.be.within(0, 2 ** 53);
    }
  });
});
