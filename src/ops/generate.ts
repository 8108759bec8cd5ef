/**
 * Prints csrc/core/ops.gen.h, the C++ side of the op table, and src/ops/writers.gen.ts, which writes steps for it. Run by `npm run generate`; CI
 * fails if a file is not up to date.
 */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {ops} from './index';
import {scalarNames, scalars} from './pointwise';
import type {OpSpec, Word} from './schema';
import {tableHash} from './table-hash';

const cppTypes: Record<Word, string> = {u32: 'uint32_t', i32: 'int32_t', f32: 'float', f64: 'double', bool: 'uint32_t', list: 'List'};

const snake = (name: string): string => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

function paramsOf(op: OpSpec): string[] {
  const fields = Object.entries(op.params).map(([name, word]) => ({name: snake(name), word}));
  const reads = fields.map((f) => `reader.Read(&p->${f.name})`);
  return [
    `struct ${op.name}Params {`,
    `  static constexpr const char* kName = "${op.name}";`,
    ...fields.map((f) => `  ${cppTypes[f.word]} ${f.name};`),
    '};',
    `inline bool Decode(WordReader& reader, ${op.name}Params* p) {`,
    `  return ${reads.join(' &&\n         ')};`,
    '}',
    `Status ${op.name}(const StepContext& context, const ${op.name}Params& params, Operands in, Operands out);`,
    '',
  ];
}

function rowOf(op: OpSpec): string {
  const [least, most] = typeof op.inputs === 'number' ? [op.inputs, op.inputs] : op.inputs;
  return `    {"${op.name}", ${least}, ${most}, ${op.outputs}, Invoke<${op.name}Params, ${op.name}>},`;
}

export function generate(): string {
  return [
    '// Generated from src/ops by src/ops/generate.ts (npm run generate). Do not edit.',
    '#ifndef GRAVITON_CORE_OPS_GEN_H_',
    '#define GRAVITON_CORE_OPS_GEN_H_',
    '',
    '// clang-format off',
    '#include "core/step.h"',
    '',
    'namespace graviton {',
    '',
    `inline constexpr uint32_t kOpTableHash = ${tableHash()}u;`,
    '',
    '// Scalar functions of Pointwise programs (src/ops/pointwise.ts).',
    'enum class Scalar : uint16_t {',
    ...scalarNames.map((name, i) => `  k${name} = ${i},`),
    '};',
    'struct ScalarTypes {',
    '  const char* takes;',
    '  char gives;',
    '};',
    'inline constexpr ScalarTypes kScalarTypes[] = {',
    ...scalarNames.map((name) => `    {"${scalars[name].takes}", '${scalars[name].gives}'},  // ${name}`),
    '};',
    `inline constexpr int kScalars = ${scalarNames.length};`,
    '',
    ...ops.flatMap(paramsOf),
    'inline constexpr OpEntry kOps[] = {',
    ...ops.map(rowOf),
    '};',
    `inline constexpr int kOpCount = ${ops.length};`,
    '',
    '}  // namespace graviton',
    '',
    '#endif  // GRAVITON_CORE_OPS_GEN_H_',
    '',
  ].join('\n');
}

const tsTypes: Record<Word, string> = {u32: 'number', i32: 'number', f32: 'number', f64: 'number', bool: 'boolean', list: 'List'};

function writeOf(name: string, word: Word): string[] {
  if (word === 'f32') return [`  floats[at++] = p.${name};`];
  if (word === 'f64') return [`  [words[at], words[at + 1]] = doubleBits(p.${name});`, '  at += 2;'];
  if (word === 'bool') return [`  words[at++] = p.${name} ? 1 : 0;`];
  if (word !== 'list') return [`  words[at++] = p.${name};`];
  return [
    `  if (at + p.${name}.length >= words.length) return undefined;`,
    `  words[at++] = p.${name}.length;`,
    `  for (let i = 0; i < p.${name}.length; i++) words[at++] = p.${name}[i] as number;`,
  ];
}

function writerOf(op: OpSpec): string[] {
  const fields = Object.entries(op.params);
  return [
    `interface ${op.name}Params {`,
    ...fields.map(([name, word]) => `  readonly ${name}: ${tsTypes[word]};`),
    '}',
    '',
    `function write${op.name}(words: Int32Array, ${fields.some(([, word]) => word === 'f32') ? '' : '_'}floats: Float32Array, from: number, p: ${op.name}Params): End {`,
    '  let at = from;',
    ...fields.flatMap(([name, word]) => writeOf(name, word)),
    '  return at;',
    '}',
    '',
  ];
}

export function generateWriters(): string {
  return [
    '// Generated from src/ops by src/ops/generate.ts (npm run generate). Do not edit.',
    '',
    "import {doubleBits} from './bits';",
    '',
    'type List = readonly number[];',
    'type End = number | undefined;',
    '',
    ...ops.flatMap(writerOf),
    '/**',
    ' * Writes the parameters of a step from word `from` on and returns where they end; undefined where they do not fit. One function an op: the',
    ' * engine compiles each for the one form of its parameters, and a shared loop over names took a tenth of a small step and more.',
    ' */',
    'export type WriteParams = (words: Int32Array, floats: Float32Array, from: number, params: object) => End;',
    '',
    '/** By op number. */',
    'export const writers = [',
    ...ops.map(({name}) => `  write${name},`),
    '] as readonly unknown[] as readonly WriteParams[];',
    '',
  ].join('\n');
}

if (require.main === module) {
  writeFileSync(join(process.cwd(), 'csrc/core/ops.gen.h'), generate());
  writeFileSync(join(process.cwd(), 'src/ops/writers.gen.ts'), generateWriters());
}
