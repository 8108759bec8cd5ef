import {readFileSync} from 'node:fs';
import {expect} from 'chai';
import {deadCode} from '../../src/compile/passes/dead-code';
import {rewrites} from './pass-harness';

/** The blocks of docs/adding-a-pass.md that are no whole programs: the pass itself, and its test. */
describe('docs: adding a pass', () => {
  const [pass = '', test = ''] = [...readFileSync('docs/adding-a-pass.md', 'utf8').matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(
    ([, code]) => code,
  );

  it('shows the pass as it is', () => {
    expect(readFileSync('src/compile/passes/dead-code.ts', 'utf8')).to.include(pass);
  });

  // Declares the test that the page shows.
  new Function('rewrites', 'deadCode', test)(rewrites, deadCode);
});
