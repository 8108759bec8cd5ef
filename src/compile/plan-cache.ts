/** A cache that forgets what was used longest ago, beyond a number of entries. */
export class LruCache<T> {
  private readonly entries = new Map<string, T>();

  constructor(
    private readonly capacity: () => number,
    private readonly evicted: (value: T) => void,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  get(key: string): T | undefined {
    const value = this.entries.get(key);
    if (value === undefined) return undefined;
    this.entries.delete(key);
    this.entries.set(key, value);
    return value;
  }

  set(key: string, value: T): void {
    this.delete(key);
    this.entries.set(key, value);
    for (const [oldest] of this.entries) {
      if (this.entries.size <= Math.max(1, this.capacity())) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const value = this.entries.get(key);
    if (value === undefined) return;
    this.entries.delete(key);
    this.evicted(value);
  }

  values(): IterableIterator<T> {
    return this.entries.values();
  }

  clear(): void {
    for (const key of [...this.entries.keys()]) this.delete(key);
  }
}
