import {type SpawnSyncReturns, spawnSync} from 'node:child_process';
import {copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'chai';

/** The install script in a folder like an unpacked tarball, with nothing in PATH but what a test puts there. */
describe('scripts/install.js', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'graviton-'));
    for (const folder of ['scripts', 'bin', 'build/Release']) mkdirSync(join(root, folder), {recursive: true});
    copyFileSync('scripts/install.js', join(root, 'scripts/install.js'));
    cpSync('build/ts/src', join(root, 'dist'), {recursive: true});
    symlinkSync(join(process.cwd(), 'node_modules'), join(root, 'node_modules'));
  });
  afterEach(() => rmSync(root, {recursive: true}));

  const tool = (name: string, script: string) => writeFileSync(join(root, 'bin', name), `#!/bin/sh\n${script}\n`, {mode: 0o755});
  const install = (environment: Record<string, string> = {}): SpawnSyncReturns<string> =>
    spawnSync(process.execPath, ['scripts/install.js'], {cwd: root, env: {PATH: join(root, 'bin'), ...environment}, encoding: 'utf8'});

  it('does nothing where a binary loads', () => {
    copyFileSync('build/Release/graviton.node', join(root, 'build/Release/graviton.node'));
    expect(install()).to.include({status: 0, stdout: ''});
  });

  it('in a checkout leaves the build to npm run setup', () => {
    writeFileSync(join(root, 'tsconfig.json'), '{}');
    const {status, stdout} = install();
    expect(status).to.equal(0);
    expect(stdout).to.include('npm run setup');
  });

  it('without a compiler fails and says what was found, what is missing and what to do', () => {
    const {status, stdout} = install();
    expect(status).to.equal(1);
    expect(stdout).to.match(new RegExp(`${process.platform}-${process.arch}.*Node ${process.versions.node}`));
    expect(stdout).to.include('no C++ compiler: `g++` does not run').and.include('no make').and.include('no Python 3');
    expect(stdout).to.include('apt-get install g++ make python3').and.include('dnf install').and.include('apk add');
    expect(stdout).not.to.include('    at '); // no stack trace
  });

  it('tells a compiler that is too old from none', () => {
    tool('g++-4', 'case "$1" in --version) exit 0;; esac; exit 1');
    expect(install({CXX: 'g++-4'}).stdout).to.include('`g++-4` does not compile C++20');
  });

  it("runs the package manager's node-gyp with what needs no download, and fails where that fails", () => {
    for (const name of ['g++', 'make', 'python3']) tool(name, 'exit 0');
    const gyp = join(root, 'node-gyp.js');
    writeFileSync(gyp, 'console.log(process.argv[2], process.env.npm_config_nodedir, process.env.JOBS); process.exit(7)');
    const {status, stdout} = install({npm_config_node_gyp: gyp, npm_config_nodedir: '/usr'});
    expect(stdout)
      .to.include(`configure ${join(root, 'scripts', 'gyp')} max`)
      .and.include('the build failed');
    expect(status).to.equal(7);
  });

  it('compiles although a binary loads where that is asked for', () => {
    copyFileSync('build/Release/graviton.node', join(root, 'build/Release/graviton.node'));
    expect(install({npm_config_build_from_source: 'true'}).status).to.equal(1);
  });
});
