/** Prints csrc/core/ops.gen.h, the C++ side of the op table. Run by `npm run generate`; CI fails if the file is not up to date. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {ops} from './index';
import {scalarNames, scalars} from './pointwise';
import type {OpSpec, Word} from './schema';
import {tableHash} from './table-hash';

const cppTypes: Record<Word, string> = {u32: 'uint32_t', i32: 'int32_t', f32: 'float', bool: 'uint32_t', list: 'List'};

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

if (require.main === module) writeFileSync(join(process.cwd(), 'csrc/core/ops.gen.h'), generate());
