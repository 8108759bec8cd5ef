import {spawnSync} from 'node:child_process';
import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {expect} from 'chai';
import {type Setting, settings} from '../../src/config';
import {errorCodes} from '../../src/errors';

const read = (path: string) => readFileSync(path, 'utf8');
const pages = ['README.md', 'CONTRIBUTING.md', ...readdirSync('docs').map((name) => join('docs', name))].filter((path) =>
  path.endsWith('.md'),
);

describe('docs', () => {
  it('errors.md has a paragraph on every code, and no other', () => {
    const sections = read('docs/errors.md').split(/^## /m).slice(1);
    expect(sections.map((section) => section.split('\n')[0])).to.have.members([...errorCodes]);
    for (const section of sections) expect(section.split('\n').slice(1).join(' ').trim(), section).to.have.length.above(40);
  });

  it('flags.md has the row of every setting', () => {
    // The formatter pads the cells.
    const text = read('docs/flags.md').replace(/ +\|/g, ' |');
    for (const {flag, variables, preset, about} of Object.values(settings) as readonly Setting<unknown>[]) {
      expect(text).to.include(`| \`${flag}\` | ${variables.map((v) => `\`${v}\``).join(', ')} | ${preset ?? 'auto'} | ${about} |`);
    }
  });

  it('links lead to files of the repository', () => {
    for (const page of pages) {
      for (const [, target = ''] of read(page).matchAll(/\]\((?!https?:)([^)#]+)/g)) {
        expect(() => read(join(page, '..', target)), `${page}: ${target}`).not.to.throw();
      }
    }
  });

  // A js block is a whole program; fragments are ts blocks. The package's own name resolves to dist, as for users.
  for (const page of pages) {
    for (const [i, [, code = '']] of [...read(page).matchAll(/^```js\n([\s\S]*?)^```/gm)].entries()) {
      it(`block ${i + 1} of ${page} runs`, () => {
        mkdirSync('build/docs-code', {recursive: true});
        const file = join('build/docs-code', `${basename(page, '.md')}-${i + 1}.mjs`);
        writeFileSync(file, code);
        const {status, stderr} = spawnSync(process.execPath, [file], {encoding: 'utf8'});
        expect(status, stderr).to.equal(0);
      });
    }
  }
});
