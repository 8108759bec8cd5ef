/**
 * npm run bench:mca [-- --cores neoverse-v1,…] [--only text] [--show]: takes each hot inner loop out of the object files of the binaries that
 * ship (npm run prebuild) and prints what llvm-mca 19 says of it for each core: cycles, the share of its limit, vectors kept on the
 * stack. Ends with 1 where a loop is missing, spills, or lies under its line (loops.ts).
 *
 * Debian package: llvm-19 (older versions have a wrong model of Neoverse V1: one multiply-add a cycle).
 */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import Table from 'cli-table3';
import {type Disassembly, disassemble, innermostLoops} from './assembly';
import {type Core, cores, type Loop, loops} from './loops';
import {elementsOf, productCycles, productsIn, simulate, spillsIn} from './simulate';

export interface Judged {
  readonly loop: Loop;
  readonly core: Core;
  readonly instructions: readonly string[];
  readonly cycles: number;
  /** Of 'products': cycles that the products alone take; of 'elements': what ports and width allow. */
  readonly leastCycles: number;
  /** Percent. */
  readonly share: number;
  readonly spills: number;
  readonly elements: number;
}

const root = join(__dirname, '../../../..');
const targetOf = (core: Core): string => (core === 'znver4' ? 'linux-x64' : 'linux-arm64');
const levelOf = (core: Core, {level}: Loop): string => `${core === 'znver4' ? 'avx512' : 'neon'}${level === undefined ? '' : `_${level}`}`;

const disassemblies = new Map<string, Disassembly>();
function objectOf(core: Core, {object}: Loop): Disassembly {
  const path = join(root, 'build/prebuild', targetOf(core), 'build/Release/obj.target/graviton/csrc', `${object}.o`);
  if (!existsSync(path)) throw new Error(`${path} is not there: npm run prebuild -- ${targetOf(core)}`);
  const known = disassemblies.get(path) ?? disassemble(path);
  disassemblies.set(path, known);
  return known;
}

/** Whether control runs straight through it: what the compiler moved out of line and jumps back from only looks like a loop. */
const isStraight = (texts: readonly string[]): boolean =>
  !texts.slice(0, -1).some((text) => /^(b|bl|blr|br|ret|jmp|call)q?\b(?!\.)/.test(text));
/** Instructions that compute on vectors. */
const arithmeticIn = (texts: readonly string[]): number =>
  texts.filter((text) => /\.4s|%[xyz]mm/.test(text) && !/^(v?mov|ld|st|dup)/.test(text)).length;

/** The loop with most products, or of those without the one that computes most. */
function find(core: Core, loop: Loop): readonly string[] | undefined {
  const level = levelOf(core, loop);
  const namespaces = new RegExp(`graviton::(${level}::)?(\\(anonymous namespace\\)::)?`, 'g');
  const weight = loop.kind === 'products' ? productsIn : arithmeticIn;
  return [...objectOf(core, loop).functions]
    .filter(([name]) => name.includes(`graviton::${level}::`) && loop.inFunction.test(name.replace(namespaces, '')))
    .flatMap(([, body]) => innermostLoops(body).map((found) => found.map(({text}) => text)))
    .filter((texts) => isStraight(texts) && weight(texts) > 0 && (loop.kind === 'products' || elementsOf(texts) > 0))
    .sort((a, b) => weight(b) - weight(a))[0];
}

export function judge(core: Core, loop: Loop): Judged | undefined {
  const instructions = find(core, loop);
  if (instructions === undefined) return undefined;
  const {cycles, bound} = simulate(core, instructions);
  const leastCycles = loop.kind === 'products' ? productCycles(core, instructions) : bound;
  const share = (100 * leastCycles) / cycles;
  return {loop, core, instructions, cycles, leastCycles, share, spills: spillsIn(instructions), elements: elementsOf(instructions)};
}

/** Why a loop is not good enough; undefined where it is. */
function faultOf(loop: Loop, core: Core, judged: Judged | undefined): string | undefined {
  const line = loop.lines[core] as number;
  if (judged === undefined) return `${loop.name} on ${core}: not found in ${loop.object}.o`;
  if (judged.spills > (loop.spills ?? 0)) return `${loop.name} on ${core}: keeps vectors on the stack, ${judged.spills} moves a turn`;
  return judged.share < line ? `${loop.name} on ${core}: ${judged.share.toFixed(1)} % of its limit, the line is ${line} %` : undefined;
}

function main(): void {
  const {values} = parseArgs({
    options: {
      cores: {type: 'string', default: cores.join(',')},
      only: {type: 'string', default: ''},
      show: {type: 'boolean', default: false},
    },
  });
  const asked = cores.filter((core) => values.cores.split(',').includes(core));
  const table = new Table({
    head: ['loop', ...asked.flatMap((core) => [`${core.replace('neoverse-', '')}: cycles`, 'share', 'line'])],
    style: {head: [], border: [], compact: true},
  });
  const faults: string[] = [];
  for (const loop of loops.filter(({name}) => name.includes(values.only))) {
    const row: string[] = [loop.name];
    for (const core of asked) {
      if (loop.lines[core] === undefined) {
        row.push('', '', '');
        continue;
      }
      const judged = judge(core, loop);
      const fault = faultOf(loop, core, judged);
      if (fault !== undefined) faults.push(fault);
      if (judged === undefined) row.push('none', '', '');
      else {
        const {cycles, share, spills, elements} = judged;
        const perElement = loop.kind === 'elements' ? ` (${(cycles / elements).toFixed(2)} an element)` : '';
        row.push(
          `${cycles.toFixed(1)}${perElement}`,
          `${share.toFixed(1)} %${spills > 0 ? `, ${spills} spills` : ''}`,
          `${loop.lines[core]} %`,
        );
        if (values.show) console.log(`${loop.name} on ${core}:\n${judged.instructions.map((text) => `  ${text}`).join('\n')}`);
      }
    }
    table.push(row);
  }
  console.log(table.toString());
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

if (require.main === module) main();
