import type {Difference} from './compile/difference';

/** Every error code and message of the package. docs/errors.md has a paragraph on each code. */
export const errorCodes = [
  'ERR_NO_BINARY',
  'ERR_INVALID_STEP',
  'ERR_SHAPE',
  'ERR_DTYPE',
  'ERR_INDEX',
  'ERR_OUT_OF_MEMORY',
  'ERR_UNSUPPORTED',
  'ERR_TOO_LARGE',
  'ERR_DISPOSED',
  'ERR_FALLBACK',
  'ERR_INPUT',
  'ERR_OUTPUT',
  'ERR_BACKEND',
  'ERR_OPTION',
  'ERR_ABORTED',
  'ERR_ASYNC_ONLY',
  'ERR_FILE',
  'ERR_VERIFY',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** Codes of csrc/core/status.h, by number. */
const nativeCodes: readonly ErrorCode[] = [
  'ERR_INVALID_STEP', // 0 is success and never looked up
  'ERR_INVALID_STEP',
  'ERR_SHAPE',
  'ERR_DTYPE',
  'ERR_INDEX',
  'ERR_OUT_OF_MEMORY',
  'ERR_UNSUPPORTED',
];

/** Thrown for everything that this package refuses; `code` is stable, the message is for people. */
export class GravitonError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string) {
    super(`${code}: ${message}`);
    this.name = 'GravitonError';
    this.code = code;
  }
}

const make = (code: ErrorCode, message: string) => new GravitonError(code, message);

export const errors = {
  noBinary: (platform: string, root: string, refusals: readonly string[]) =>
    make(
      'ERR_NO_BINARY',
      [
        `no native binary of tfjs-backend-graviton loads on ${platform}`,
        ...refusals.map((r) => `  - ${r}`),
        'What helps:',
        '  - installed without install scripts, or on another system (a copied node_modules)? Here: npm rebuild tfjs-backend-graviton',
        '  - no prebuilt binary for this system? Install g++ (or clang++) with C++20, make and python3, then the same command',
        `  - looked in ${root}`,
      ].join('\n'),
    ),
  native: (code: number, message: string) => make(nativeCodes[code] ?? 'ERR_INVALID_STEP', message),
  tooLarge: (what: string, elems: number, most: number) =>
    make('ERR_TOO_LARGE', `${what} would have ${elems} elements; a tensor may have ${most}`),
  dtype: (op: string, given: string, supported: readonly string[], advice: string) =>
    make('ERR_DTYPE', `${op} got ${given}; it supports ${supported.join(', ')}. ${advice}`),
  shape: (op: string, problem: string) => make('ERR_SHAPE', `${op}: ${problem}`),
  verify: (pass: string, problem: string) => make('ERR_VERIFY', `after ${pass}: ${problem}; switch the pass off and report it`),
  differs: (step: string, {element, got, wanted, distance, scale}: Difference, tolerance: number, elems: number, origin: string) =>
    make(
      'ERR_VERIFY',
      `${step} differs from eager: element ${element} of ${elems} is ${got}; eager gives ${wanted}. The error is ` +
        `${(distance / scale).toPrecision(2)} of the largest magnitude, ${scale.toPrecision(3)}, where ${tolerance.toPrecision(2)} is rounding. ` +
        `It stands for ${origin}; compile(..., {disable: [pass]}) or npm run bisect finds the pass at fault`,
    ),
  buffers: (result: number, {element, got, wanted}: Difference) =>
    make(
      'ERR_VERIFY',
      `every step alone gives what eager gives, but in the plan element ${element} of result ${result} is ${got} instead of ${wanted}: ` +
        'the order of its steps or the sharing of its buffers is at fault. Report it',
    ),
  impure: (result: number, {element, got, wanted}: Difference) =>
    make(
      'ERR_VERIFY',
      `the recorded steps no longer give what the function itself gives: element ${element} of result ${result} is ${got} instead of ` +
        `${wanted}. A compiled function may depend on its arguments and on tf.Variables, not on other state or on random numbers`,
    ),
  outOfMemory: (what: string) => make('ERR_OUT_OF_MEMORY', `memory is short for ${what}`),
  profiling: () => make('ERR_BACKEND', 'a profile is being taken already; profile one call at a time'),
  file: (path: string, problem: string, advice: string) => make('ERR_FILE', `${path} ${problem}. ${advice}`),
  notRegistered: () =>
    make('ERR_BACKEND', "the backend 'graviton' is not registered. Import tfjs-backend-graviton with the tfjs-core that the model uses"),
  input: (name: string, problem: string) => make('ERR_INPUT', `input '${name}' ${problem}`),
  inputs: (problem: string) => make('ERR_INPUT', problem),
  output: (name: string, known: readonly string[]) =>
    make('ERR_OUTPUT', `there is no output '${name}'; the outputs are ${known.join(', ')}`),
  backend: (active: string) =>
    make('ERR_BACKEND', `a compiled function runs on the backend 'graviton', but '${active}' is active. Call tf.setBackend('graviton')`),
  aborted: () => make('ERR_ABORTED', 'the call was aborted by its signal'),
  asyncOnly: (reason: string) =>
    make('ERR_ASYNC_ONLY', `this model cannot run synchronously (${reason}). Use predictAsync or executeAsync`),
  fallback: (kernel: string) =>
    make(
      'ERR_FALLBACK',
      `kernel ${kernel} has no native form for these inputs and GRAVITON_FALLBACK=error forbids to run it on tfjs-backend-cpu. ` +
        'docs/kernels.md lists what is native.',
    ),
  option: (source: string, given: string, expected: string) => make('ERR_OPTION', `${source} is '${given}'; it must be ${expected}`),
  argument: (op: string, problem: string) => make('ERR_INPUT', `${op}: ${problem}`),
  disposed: (what: string) => make('ERR_DISPOSED', `${what} has been disposed of`),
};
