/** npx tfjs-backend-graviton, as compiled for the tests. */
import {type SpawnSyncReturns, spawnSync} from 'node:child_process';
import {join} from 'node:path';
import {expect} from 'chai';
import type {BenchReport} from '../../src/cli/bench';
import type {InfoReport} from '../../src/cli/info';
import {settings} from '../../src/config';

const program = join(__dirname, '../../src/cli/main.js');
const run = (args: readonly string[], environment: Readonly<Record<string, string>> = {}): SpawnSyncReturns<string> =>
  spawnSync(process.execPath, [program, ...args], {encoding: 'utf8', env: {...process.env, ...environment}});
const json = (args: readonly string[], environment?: Readonly<Record<string, string>>): unknown =>
  JSON.parse(run([...args, '--json'], environment).stdout);

describe('tfjs-backend-graviton on the command line', function () {
  this.timeout(120_000);

  it('info: every setting with where it came from, and speeds above zero', () => {
    const {system, speeds} = json(['info'], {OMP_NUM_THREADS: '1', GRAVITON_THREADS: ''}) as InfoReport;
    expect(system.settings).to.have.keys(Object.keys(settings));
    expect(system.settings.threads).to.deep.equal({value: '1', from: 'OMP_NUM_THREADS'});
    expect(speeds.map((s) => s.threads)).to.deep.equal([1]);
    for (const {gflops, l1GBs, l2GBs, memoryGBs} of speeds) expect(Math.min(gflops, l1GBs, l2GBs, memoryGBs)).to.be.above(0);
  });

  it('info: the same as text', () => {
    const {stdout, status} = run(['info']);
    expect(status).to.equal(0);
    for (const {flag} of Object.values(settings)) expect(stdout).to.include(flag);
    expect(stdout).to.include('GFLOP/s');
  });

  it('bench: every model answers alike eager and compiled', () => {
    const {rows} = json(['bench', '--models', 'mobilenet,decoder', '--threads', '1,2', '--seconds', '0.01']) as BenchReport;
    expect(rows.map((row) => `${row.model} ${row.threads}`)).to.deep.equal(['mobilenet 1', 'mobilenet 2', 'decoder 1', 'decoder 2']);
    for (const {compiledMs, eagerMs, gflops, difference} of rows) {
      expect(Math.min(compiledMs, eagerMs, gflops)).to.be.above(0);
      expect(difference).to.be.below(1e-3);
    }
  });

  it('refuses what it does not know, with what it does', () => {
    for (const [args, message] of [
      [['bench', '--models', 'bert,alexnet'], /no model alexnet; there are .*resnet50/],
      [['bench', '--threads', '0'], /--threads takes whole numbers/],
      [['bench', '--seconds', 'x'], /--seconds takes a number above 0/],
      [['info', '--isa'], /unknown option/],
      [['speed'], /unknown command/],
    ] as const) {
      const {status, stderr, stdout} = run(args);
      expect(status, args.join(' ')).to.equal(1);
      expect(stderr).to.match(message);
      expect(stdout).to.equal('');
    }
  });

  it('says what is wrong with a setting', () => {
    const {status, stderr} = run(['info'], {GRAVITON_THREADS: 'many'});
    expect(status).to.equal(1);
    expect(stderr).to.match(/ERR_OPTION.*GRAVITON_THREADS/);
  });
});
