/** Functions and innermost loops of object files, from the disassembler of LLVM 19. */
import {execFileSync} from 'node:child_process';

export interface Instruction {
  readonly address: number;
  /** Mnemonic and operands, without addresses and comments. */
  readonly text: string;
  /** Of a branch: where to. */
  readonly target: number | undefined;
}

export interface Disassembly {
  /** Demangled name → instructions. */
  readonly functions: ReadonlyMap<string, readonly Instruction[]>;
}

const isBranch = /^(b|b\.\w+|cbn?z|tbn?z|j\w+)\s/;

function instructionOf(line: string): Instruction | undefined {
  const [, address, rest] = /^\s*([0-9a-f]+):\s+(\S.*)$/.exec(line) ?? [];
  if (address === undefined || rest === undefined) return undefined;
  const target = isBranch.test(rest) ? /0x([0-9a-f]+)(?: <|$)/.exec(rest)?.[1] : undefined;
  return {
    address: Number.parseInt(address, 16),
    // The simulator resolves no address; any label does.
    text: rest.replace(/\s*(#|\/\/) .*<.*>.*$/, '').replace(/0x[0-9a-f]+ <.*>.*$/, '.Lsomewhere'),
    target: target === undefined ? undefined : Number.parseInt(target, 16),
  };
}

export function disassemble(object: string): Disassembly {
  const options = ['-d', '-C', '--no-show-raw-insn', object];
  const text = execFileSync('llvm-objdump-19', options, {encoding: 'utf8', maxBuffer: 2 ** 30});
  const functions = new Map<string, Instruction[]>();
  let current: Instruction[] = [];
  for (const line of text.split('\n')) {
    const name = /^[0-9a-f]+ <(.*)>:$/.exec(line)?.[1];
    if (name !== undefined) {
      current = [];
      functions.set(name, current);
      continue;
    }
    const instruction = instructionOf(line);
    if (instruction !== undefined) current.push(instruction);
  }
  return {functions};
}

/** Bodies of loops that hold no other: from a branch's target to the branch back to it. */
export function innermostLoops(body: readonly Instruction[]): (readonly Instruction[])[] {
  const indexOf = new Map(body.map(({address}, i) => [address, i]));
  const spans = body.flatMap(({target}, end) => {
    const begin = target === undefined ? undefined : indexOf.get(target);
    return begin === undefined || begin > end ? [] : [{begin, end}];
  });
  const holdsAnother = (a: {begin: number; end: number}) =>
    spans.some((b) => b !== a && b.begin >= a.begin && b.end <= a.end && (b.begin > a.begin || b.end < a.end));
  return spans.filter((span) => !holdsAnother(span)).map(({begin, end}) => body.slice(begin, end + 1));
}
