/** Finds, loads and checks the addon. scripts/install.js asks the same function whether there is anything left to build. */
import {closeSync, existsSync, openSync, readdirSync, readSync} from 'node:fs';
import {dirname, join, relative} from 'node:path';
import {errors} from './errors';
import {tableHash} from './ops/table-hash';

export function packageRoot(): string {
  for (let folder = __dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'binding.gyp'))) return folder;
    // Bundled away from the package: the error about the binary then says where it was looked for.
    if (dirname(folder) === folder) return __dirname;
  }
}

/** The loader that a 64-bit ELF file asks for (its PT_INTERP), wherever in the file its name is: tools that change it put it at the end. */
export function loaderOf(path: string): string {
  const file = openSync(path, 'r');
  const read = (position: number, bytes: number): Buffer => {
    const to = Buffer.alloc(bytes);
    readSync(file, to, 0, bytes, position);
    return to;
  };
  try {
    const header = read(0, 64);
    const [entryBytes, entries] = [header.readUInt16LE(54), header.readUInt16LE(56)];
    const table = read(Number(header.readBigUInt64LE(32)), entryBytes * entries);
    for (let entry = 0; entry < table.length; entry += entryBytes) {
      const isLoader = table.readUInt32LE(entry) === 3;
      if (isLoader)
        return read(Number(table.readBigUInt64LE(entry + 8)), Number(table.readBigUInt64LE(entry + 32)))
          .toString('latin1')
          .replace(/\0.*/s, '');
    }
    return '';
  } finally {
    closeSync(file);
  }
}

/**
 * Which C library this Node runs on, from the loader that its file names. `process.report` would tell too, but takes milliseconds, and glibc's
 * ldd may exist on musl systems.
 */
function libc(): 'glibc' | 'musl' | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return loaderOf(process.execPath).includes('/ld-musl-') ? 'musl' : 'glibc';
  } catch {
    return 'glibc'; // not readable: what nearly everybody runs
  }
}

function glibcVersion(): string {
  Object.assign(process.report, {excludeNetwork: true}); // else it resolves names, for seconds on some hosts
  const report: unknown = process.report.getReport();
  const header = typeof report === 'object' && report !== null && 'header' in report ? report.header : undefined;
  const version = typeof header === 'object' && header !== null && 'glibcVersionRuntime' in header ? header.glibcVersionRuntime : '';
  return String(version);
}

/** For messages: `linux-x64, glibc 2.36, Node 20.19.0`. */
export function describePlatform(): string {
  const library = libc();
  const words = [`${process.platform}-${process.arch}`, `Node ${process.versions.node}`];
  if (library !== undefined) words.splice(1, 0, library === 'glibc' ? `glibc ${glibcVersion()}` : library);
  return words.join(', ');
}

/** What was compiled here comes first; else prebuildify's names: prebuilds/linux-x64/tfjs-backend-graviton.glibc.node. */
function candidates(root: string): string[] {
  const built = join(root, 'build', 'Release', 'graviton.node');
  const folder = join(root, 'prebuilds', `${process.platform}-${process.arch}`);
  const other = libc() === 'musl' ? '.glibc.' : '.musl.';
  const prebuilt = existsSync(folder) ? readdirSync(folder).filter((f) => f.endsWith('.node') && !f.includes(other)) : [];
  return [built, ...prebuilt.map((f) => join(folder, f))].filter((f) => existsSync(f));
}

function hashOf(addon: unknown): unknown {
  if (typeof addon !== 'object' || addon === null || !('info' in addon)) return undefined;
  const {info} = addon;
  return typeof info === 'object' && info !== null && 'opTableHash' in info ? info.opTableHash : undefined;
}

/**
 * The first binary that loads and was built from this op table. npm replaces a package's folder as a whole, so equal tables mean
 * equal versions; only a build left over in a checkout can differ.
 * @throws ERR_NO_BINARY with what was tried and why each was refused.
 */
export function loadAddon(root: string = packageRoot(), opTableHash: number = tableHash()): unknown {
  const refusals: string[] = [];
  for (const file of candidates(root)) {
    try {
      const addon: unknown = require(file);
      if (hashOf(addon) === opTableHash) return addon;
      refusals.push(`${relative(root, file)} was built from another version of this package`);
    } catch (error) {
      refusals.push(`${relative(root, file)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (refusals.length === 0) {
    const shipped = existsSync(join(root, 'prebuilds')) ? readdirSync(join(root, 'prebuilds')) : [];
    refusals.push(`nothing was compiled at installation, and prebuilt binaries are for ${shipped.join(', ') || 'no platform'}`);
  }
  throw errors.noBinary(describePlatform(), root, refusals);
}
