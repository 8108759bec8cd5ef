import {spawnSync} from 'node:child_process';
import {join} from 'node:path';
import {expect} from 'chai';
import {packageRoot} from '../../src/binary';

const run = (...args: string[]) =>
  spawnSync(process.execPath, [join(packageRoot(), 'examples/t5-translation'), ...args], {encoding: 'utf8', timeout: 110_000});

describe('examples/t5-translation', function () {
  this.timeout(120_000);
  for (const [mode, row] of Object.entries({eager: /BatchMatMul|_FusedMatMul/, compile: /GravitonPlan/})) {
    it(`prints the profiler's table, ${mode}`, () => {
      const {stdout, stderr, status} = run('-m', mode, '-n', '2');
      expect(status, stderr).to.equal(0);
      expect(stdout)
        .to.match(row)
        .and.match(/# of Calls/);
      expect(stdout).to.match(new RegExp(`T5-small, 16 encoder and 5 decoder tokens, ${mode}: [\\d.]+ ms`));
    });
  }

  it('refuses what it does not know', () => {
    expect(run('-m', 'fast').status).to.equal(1);
    expect(run('-n', '0').stderr).to.match(/whole number/);
  });
});
