/** The processes in which runtimes are measured. */
import {type ChildProcess, spawn} from 'node:child_process';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import type {Readable} from 'node:stream';
import {root} from './topology';
import type {Job, Ready} from './worker';

export interface Burst {
  readonly ms: readonly number[];
  /** Most memory that the process has had so far. */
  readonly peakKiB: number;
}

/** One model in one runtime. It sleeps in a read while it is not asked. */
export class RuntimeProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly lines: AsyncIterator<string>,
    private readonly errorText: () => string,
    readonly ready: Ready,
  ) {}

  /** @throws Error with the process' last words where it cannot run the model */
  static async open(command: string, args: readonly string[]): Promise<RuntimeProcess> {
    const child = spawn(command, args, {cwd: root, stdio: ['pipe', 'ignore', 'pipe', 'pipe']});
    let text = '';
    child.stderr?.on('data', (data: Buffer) => {
      text = (text + data.toString()).slice(-4000);
    });
    const failed = new Promise<never>((_, reject) => child.once('error', reject));
    // Nobody may be waiting when it comes.
    failed.catch(() => undefined);
    const lines = createInterface(child.stdio[3] as Readable)[Symbol.asyncIterator]();
    const first = await Promise.race([lines.next(), failed]);
    if (first.done) throw new Error(lastWords(text));
    return new RuntimeProcess(child, lines, () => text, JSON.parse(first.value) as Ready);
  }

  static ofJob(job: Job): Promise<RuntimeProcess> {
    return RuntimeProcess.open(process.execPath, [join(__dirname, 'worker.js'), JSON.stringify(job)]);
  }

  async burst(runs: number): Promise<Burst> {
    this.child.stdin?.write(`${JSON.stringify({runs})}\n`);
    const {done, value} = await this.lines.next();
    if (done) throw new Error(lastWords(this.errorText()));
    return JSON.parse(value) as Burst;
  }

  close(): void {
    this.child.kill('SIGKILL');
  }
}

/** The line of an error report that says what is wrong. */
function lastWords(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.find((line) => /^\w*(Error|Exception)\b/.test(line.trim())) ?? lines.at(-1) ?? 'ended without a word';
}
