import {copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'chai';
import {describePlatform, loadAddon, loaderOf, packageRoot} from '../../src/binary';

const target = `${process.platform}-${process.arch}`;

describe('finding the binary', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'graviton-'));
  });
  afterEach(() => rmSync(root, {recursive: true}));

  const put = (folder: string, name: string, from?: string) => {
    mkdirSync(join(root, folder), {recursive: true});
    if (from === undefined) writeFileSync(join(root, folder, name), 'not a binary');
    else copyFileSync(from, join(root, folder, name));
  };
  const built = join(packageRoot(), 'build', 'Release', 'graviton.node');

  it('describes the platform', () => {
    expect(describePlatform()).to.match(new RegExp(`^${target}, (glibc [\\d.]+|musl|Node).*${process.versions.node}`));
  });

  it('reads the loader of an ELF file at its end, where patchelf puts it', () => {
    const [table, at, loader] = [64, 5000, '/lib/ld-musl-x86_64.so.1'];
    const elf = Buffer.alloc(at + loader.length + 1);
    elf.writeBigUInt64LE(BigInt(table), 32);
    elf.writeUInt16LE(56, 54); // bytes of an entry
    elf.writeUInt16LE(2, 56); // entries; the first is of another type
    elf.writeUInt32LE(3, table + 56);
    elf.writeBigUInt64LE(BigInt(at), table + 56 + 8);
    elf.writeBigUInt64LE(BigInt(loader.length + 1), table + 56 + 32);
    elf.write(loader, at, 'latin1');
    writeFileSync(join(root, 'node'), elf);
    expect(loaderOf(join(root, 'node'))).to.equal(loader);
  });

  it('with none: says for which platforms there are prebuilt ones, and what to do', () => {
    put('prebuilds/sunos-sparc', 'tfjs-backend-graviton.node');
    expect(() => loadAddon(root)).to.throw(
      /ERR_NO_BINARY[\s\S]*prebuilt binaries are for sunos-sparc[\s\S]*npm rebuild tfjs-backend-graviton/,
    );
  });

  it('names each file that does not load, and why', () => {
    put(`prebuilds/${target}`, 'tfjs-backend-graviton.node');
    put('build/Release', 'graviton.node');
    expect(() => loadAddon(root)).to.throw(
      new RegExp(`- build/Release/graviton.node: .*(\\n.*)*- prebuilds/${target}/tfjs-backend-graviton.node: `),
    );
  });

  it('takes the prebuilt one where the one built here does not load', () => {
    put('build/Release', 'graviton.node');
    put(`prebuilds/${target}`, 'tfjs-backend-graviton.node', built);
    expect(loadAddon(root)).to.have.property('info');
  });

  it('refuses a binary of another op table', () => {
    put('build/Release', 'graviton.node', built);
    expect(() => loadAddon(root, 1)).to.throw(/ERR_NO_BINARY[\s\S]*graviton.node was built from another version/);
  });

  it('does not try the binary of another C library', function () {
    if (process.platform !== 'linux') this.skip();
    const other = existsSync('/etc/alpine-release') ? 'glibc' : 'musl';
    put(`prebuilds/${target}`, `tfjs-backend-graviton.${other}.node`, built);
    expect(readdirSync(join(root, 'prebuilds', target))).to.have.length(1);
    expect(() => loadAddon(root)).to.throw(/ERR_NO_BINARY/);
  });
});
