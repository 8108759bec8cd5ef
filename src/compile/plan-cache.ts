/** A cache that forgets what was used longest ago, beyond a number of entries. */
export class LruCache<T> {
  private readonly entriesByKey = new Map<string, T>();
  /** What was used last: most often it is asked for again, and is in its place. */
  private newest: T | undefined;

  constructor(
    private readonly capacity: () => number,
    private readonly evicted: (value: T) => void,
  ) {}

  get size(): number {
    return this.entriesByKey.size;
  }

  get(key: string): T | undefined {
    const value = this.entriesByKey.get(key);
    if (value === undefined || value === this.newest) return value;
    this.entriesByKey.delete(key);
    this.entriesByKey.set(key, value);
    this.newest = value;
    return value;
  }

  set(key: string, value: T): void {
    this.delete(key);
    this.entriesByKey.set(key, value);
    this.newest = value;
    for (const [oldest] of this.entriesByKey) {
      if (this.entriesByKey.size <= Math.max(1, this.capacity())) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const value = this.entriesByKey.get(key);
    if (value === undefined) return;
    this.entriesByKey.delete(key);
    if (value === this.newest) this.newest = undefined;
    this.evicted(value);
  }

  /** A copy, so that entries may be deleted meanwhile. */
  entries(): [string, T][] {
    return [...this.entriesByKey];
  }

  values(): IterableIterator<T> {
    return this.entriesByKey.values();
  }

  clear(): void {
    for (const key of [...this.entriesByKey.keys()]) this.delete(key);
  }
}
