/** The environment variables of the Graviton guides: each in a process of its own, seen in systemInfo() and by what it changes. */
import {spawnSync} from 'node:child_process';
import {join} from 'node:path';
import {expect} from 'chai';
import {settings} from '../../src/config';

const source = join(__dirname, '../../src');

/** Runs JavaScript with `tf`, the package's exports and `readFileSync`; what it returns. */
function inProcess(body: string, environment: Readonly<Record<string, string>>): unknown {
  const script = `
    const tf = require('@tensorflow/tfjs-core');
    const {compile, systemInfo} = require(${JSON.stringify(source)});
    const {readFileSync, readdirSync} = require('node:fs');
    (async () => {
      await tf.setBackend('graviton');
      const result = await (async () => { ${body} })();
      console.log(JSON.stringify({result, settings: systemInfo().settings, threads: systemInfo().threads}));
    })();`;
  const known = Object.values(settings).flatMap(({variables}) => variables as readonly string[]);
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !known.includes(name)));
  const {stdout, stderr} = spawnSync(process.execPath, ['-e', script], {encoding: 'utf8', env: {...inherited, ...environment}});
  expect(stderr).not.to.match(/Error/);
  return JSON.parse(stdout);
}

describe('settings from the environment', function () {
  this.timeout(60_000);
  before(function () {
    if (process.platform !== 'linux') this.skip(); // what a setting changes is read from /proc
  });

  const startedThreads = `
    const count = () => readdirSync('/proc/self/task').length;
    const before = count();
    const x = tf.ones([512, 512]);
    tf.matMul(x, x).dataSync();
    return count() - before;`;
  for (const [name, value, threads] of [
    ['OMP_NUM_THREADS', '1', 1],
    ['OMP_NUM_THREADS', '3', 3],
    ['OMP_NUM_THREADS', '4,2', 4],
    ['GRAVITON_THREADS', '2', 2],
  ] as const) {
    it(`${name}=${value}: a product starts ${threads - 1} threads beside its own`, () => {
      expect(inProcess(startedThreads, {[name]: value})).to.deep.include({result: threads - 1, threads});
    });
  }

  it('GRAVITON_THREADS beats OMP_NUM_THREADS, and a flag both', () => {
    const environment = {GRAVITON_THREADS: '3', OMP_NUM_THREADS: '2'};
    expect(inProcess('', environment)).to.have.nested.property('settings.threads').that.deep.equals({value: '3', from: 'GRAVITON_THREADS'});
    const flag = `tf.env().set('GRAVITON_THREADS', 1); ${startedThreads}`;
    expect(inProcess(flag, environment)).to.deep.include({result: 0, threads: 1}).and.have.nested.property('settings.threads.from', 'flag');
  });

  // The kernel notes advice of a mapping as "hg" in its VmFlags.
  const advisedMiB = `
    const kept = tf.ones([4, 1024, 1024]);
    kept.dataSync();
    const advised = readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).filter((m) => /^VmFlags:.* hg\\b/m.test(m));
    return advised.reduce((sum, m) => sum + Number(/^Size: +(\\d+)/m.exec(m)[1]), 0) / 1024 >= 16;`;
  for (const [value, advised] of [
    ['1', true],
    ['0', false],
  ] as const) {
    it(`THP_MEM_ALLOC_ENABLE=${value}: huge pages are ${advised ? '' : 'not '}asked for`, () => {
      const answer = inProcess(advisedMiB, {THP_MEM_ALLOC_ENABLE: value});
      expect(answer).to.have.property('result', advised);
      expect(answer)
        .to.have.nested.property('settings.hugePages')
        .that.deep.equals({value: String(advised), from: 'THP_MEM_ALLOC_ENABLE'});
    });
  }

  it('LRU_CACHE_CAPACITY=2: of plans for three shapes two are kept', () => {
    const plans = `
      const twice = compile((x) => tf.mul(x, 2));
      for (const n of [1, 2, 3]) twice(tf.ones([n, n, 2].slice(0, n)));
      return twice.explain().plans.length;`;
    expect(inProcess(plans, {LRU_CACHE_CAPACITY: '2'})).to.have.property('result', 2);
    expect(inProcess(plans, {})).to.have.property('result', 3);
  });

  it('GRAVITON_PLAN_CACHE_MIB=1: plans go whose constants come to more, those that the latest plan shares do not count', () => {
    const plans = `
      const weights = tf.range(0, 1 << 20);
      const shifted = compile((x) => tf.add(tf.mul(x, tf.range(x.rank, x.rank + x.size)), tf.reshape(weights, [-1, x.size])));
      const n = 1 << 17;
      for (const shape of [[n], [1, n], [1, 1, n], [1, 1, 1, n]]) shifted(tf.ones(shape));
      const {plans, evictions, constantBytes} = shifted.stats();
      return {plans, evictions, constantBytes};`;
    expect(inProcess(plans, {GRAVITON_PLAN_CACHE_MIB: '1'})).to.have.deep.property('result', {
      plans: 3,
      evictions: 1,
      constantBytes: 5.5 * 2 ** 20,
    });
    expect(inProcess(plans, {})).to.have.deep.property('result', {plans: 4, evictions: 0, constantBytes: 6 * 2 ** 20});
  });

  // On a level without bfloat16 products the setting has no effect, and explain() says so.
  const precision = `
    const weights = tf.randomUniform([64, 64], -1, 1, 'float32', 3);
    const product = compile((x) => tf.matMul(x, weights));
    const x = tf.randomUniform([32, 64], -1, 1, 'float32', 5);
    product(x);
    const rounds = tf.max(tf.abs(tf.sub(product(x), tf.matMul(x, weights)))).dataSync()[0] > 1e-4;
    const [step] = product.explain().plans[0].steps;
    return {rounds, precision: step.precision, expected: systemInfo().isa.used.includes('bf16')};`;
  for (const [value, mode] of [
    ['BF16', 'bf16'],
    ['STRICT', 'fp32'],
  ] as const) {
    it(`DNNL_DEFAULT_FPMATH_MODE=${value}: a compiled product runs in ${mode} where the processor has it`, () => {
      const answer = inProcess(precision, {DNNL_DEFAULT_FPMATH_MODE: value}) as {
        result: {rounds: boolean; precision: string; expected: boolean};
        settings: Record<string, unknown>;
      };
      const {rounds, precision: used, expected} = answer.result;
      expect(answer.settings.fpmath).to.deep.equal({value: mode, from: 'DNNL_DEFAULT_FPMATH_MODE'});
      expect(used).to.equal(expected ? mode : 'fp32');
      expect(rounds).to.equal(expected && mode === 'bf16');
    });
  }
});
