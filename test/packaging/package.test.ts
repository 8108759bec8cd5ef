import {spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {relative} from 'node:path';
import {expect} from 'chai';

interface Packed {
  readonly files: readonly {readonly path: string}[];
}

describe('the package', () => {
  it('has what an installation needs to compile, and no tests, models or build output', function () {
    this.timeout(60_000);
    const {stdout} = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {encoding: 'utf8'});
    const packed = JSON.parse(stdout) as readonly Packed[] | Readonly<Record<string, Packed>>; // npm 11 keys it by name
    const files = (Object.values(packed)[0]?.files ?? []).map((file) => file.path);
    expect(files).to.include.members(['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'binding.gyp', 'csrc/core/ops.gen.h']);
    expect(files).to.include.members(['scripts/install.js', 'scripts/list-sources.js', 'scripts/gyp/common.gypi']);
    const stray = files.filter((path) => !/^(dist|src|csrc|prebuilds|scripts)\/|^[^/]+\.(json|md|gyp)$|^LICENSE$/.test(path));
    expect(stray).to.deep.equal([]);
  });
});

describe('start-up', () => {
  const loadedBy = (script: string): string[] => {
    const print = 'console.log(JSON.stringify(Object.keys(require.cache)))';
    const {stdout, stderr} = spawnSync(process.execPath, ['-e', `${script}; ${print}`], {encoding: 'utf8'});
    expect(stderr).to.equal('');
    return JSON.parse(stdout) as string[];
  };

  const core = "require('@tensorflow/tfjs-core')";
  const ours = `require(${JSON.stringify(process.cwd())})`;
  const addedBy = (script: string, to: string): string[] => {
    const before = loadedBy(to);
    return loadedBy(`${to}; ${script}`)
      .filter((file) => !before.includes(file))
      .map((file) => relative(process.cwd(), file));
  };

  it('loads no package that tfjs-core has not loaded, nor addon, kernels and compiler, which their first use loads', () => {
    const added = addedBy(ours, core);
    expect(added).to.include('dist/index.js');
    expect(added.filter((file) => !/^dist\/(index|chunk-\w+)\.js$/.test(file))).to.deep.equal([]);
    expect(addedBy("require('@tensorflow/tfjs-core').add(1, 2)", `${core}; ${ours}`)).to.include('dist/kernels/registry.js');
    expect(addedBy(`${ours}.compile(() => {})`, `${core}; ${ours}`)).to.include('dist/compile/compile.js');
  });

  it('with --enable-source-maps names the sources in stack traces', () => {
    const script = `require('@tensorflow/tfjs-core'); require(${JSON.stringify(process.cwd())}).compile({})`;
    const {stderr} = spawnSync(process.execPath, ['--enable-source-maps', '-e', script], {encoding: 'utf8'});
    expect(stderr).to.match(/at .*src\/compile\/compile\.ts:\d+/);
  });
});

describe('npm scripts', () => {
  // npm runs preX and postX around X: with the script `prebuild`, a script `build` would compile every prebuilt binary first.
  it('none is the hook of another', () => {
    const {scripts} = JSON.parse(readFileSync('package.json', 'utf8')) as {scripts: Readonly<Record<string, string>>};
    const names = Object.keys(scripts);
    expect(names.filter((name) => names.includes(`pre${name}`) || names.includes(`post${name}`))).to.deep.equal([]);
  });
});
