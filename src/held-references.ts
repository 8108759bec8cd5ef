import type {DataId} from '@tensorflow/tfjs-core';

/**
 * The references that the kernel under way holds: to what it has made, and by views. A kernel of several steps may fail at any of them, when
 * memory runs out; then all are given back here, so that no kernel needs to think of it.
 */
export class HeldReferences {
  private readonly ids: (DataId | undefined)[] = [];
  /** Of `ids`, which is never shortened: setting a list's length costs more than a small step. */
  private count = 0;
  /** Where those of the innermost kernel begin; negative between kernels. */
  private from = -1;

  take(id: DataId): void {
    if (this.from >= 0) this.ids[this.count++] = id;
  }

  /** The reference has been given back, or what is held under another id has taken it over. */
  drop(id: DataId): void {
    for (let i = this.count - 1; i >= this.from && i >= 0; i--) {
      if (this.ids[i] !== id) continue;
      this.ids[i] = this.ids[--this.count];
      return;
    }
  }

  /** Runs a kernel, whose result takes its references along; where it throws, they go to `giveBack`. */
  during<Call, Result>(run: (call: Call) => Result, call: Call, giveBack: (id: DataId) => void): Result {
    const outer = this.from;
    this.from = this.count;
    const first = this.count;
    try {
      return run(call);
    } catch (error) {
      for (let i = this.count - 1; i >= first; i--) giveBack(this.ids[i] as DataId);
      throw error;
    } finally {
      this.count = first;
      this.from = outer;
    }
  }
}
