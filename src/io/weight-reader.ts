import {promises as files} from 'node:fs'; // as in file-handler.ts
import type {FileHandle} from 'node:fs/promises';
import type {io} from '@tensorflow/tfjs-core';
import {errors} from '../errors';

/** The bytes of a model's weights in the order of their specs. */
export interface WeightReader {
  /** @throws ERR_FILE where it is known that fewer bytes are left */
  expect(bytes: number): void;
  /** The next `bytes` bytes, valid until the following call. @throws ERR_FILE when fewer are left */
  next(bytes: number): Uint8Array | Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface Shard {
  readonly path: string;
  readonly bytes: number;
}

const advice = 'Copy all weight files of the model again, or convert it again.';

/** fs reads at most 2³¹ − 1 bytes at once. */
const largestRead = 2 ** 30;

/** Fills `into` from `position` of the file. */
export async function readFully(file: FileHandle, into: Uint8Array, position: number, path: string): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const {bytesRead} = await file.read(into, done, Math.min(into.length - done, largestRead), position + done);
    if (bytesRead === 0) throw errors.file(path, `ends after ${position + done} bytes although it was longer a moment ago`, advice);
    done += bytesRead;
  }
}

/**
 * Shards through one block of this size, or of what is asked for at once: it is copied to native memory while it is still in cache, and no file is
 * ever held whole. 8 MiB was within noise of 2 and of 32 on MiniLM (45 MB float16) and on 100 MB of float32.
 */
export const blockBytes = 8 << 20;

export class ShardReader implements WeightReader {
  private block = new Uint8Array(0);
  private at = 0;
  private filled = 0;
  private left: number;
  private shard = 0;
  private position = 0;
  private file: FileHandle | undefined;

  /** `model` is named in errors. */
  constructor(
    private readonly model: string,
    private readonly shards: readonly Shard[],
  ) {
    this.left = shards.reduce((sum, {bytes}) => sum + bytes, 0);
  }

  expect(bytes: number): void {
    const missing = bytes - (this.filled - this.at) - this.left;
    if (missing > 0) throw errors.file(this.model, `describes more weights than its files hold: ${missing} bytes are missing`, advice);
  }

  next(bytes: number): Uint8Array | Promise<Uint8Array> {
    return this.at + bytes <= this.filled ? this.take(bytes) : this.refill(bytes).then(() => this.take(bytes));
  }

  private take(bytes: number): Uint8Array {
    this.at += bytes;
    return this.block.subarray(this.at - bytes, this.at);
  }

  private async refill(bytes: number): Promise<void> {
    this.expect(bytes);
    const kept = this.filled - this.at;
    const size = Math.max(bytes, Math.min(blockBytes, kept + this.left));
    const block = this.block.length >= size ? this.block : new Uint8Array(size);
    block.set(this.block.subarray(this.at, this.filled));
    this.block = block;
    this.at = 0;
    this.filled = kept;
    while (this.filled < bytes) await this.readMore();
  }

  /** As much of the current shard as fits into the block. */
  private async readMore(): Promise<void> {
    const {path, bytes} = this.shards[this.shard] as Shard;
    this.file ??= await files.open(path);
    const count = Math.min(this.block.length - this.filled, bytes - this.position);
    await readFully(this.file, this.block.subarray(this.filled, this.filled + count), this.position, path);
    this.filled += count;
    this.left -= count;
    this.position += count;
    if (this.position < bytes) return;
    await this.close();
    this.shard++;
    this.position = 0;
  }

  async close(): Promise<void> {
    await this.file?.close();
    this.file = undefined;
  }
}

/** Weights that are in memory already: views, and a copy only where a weight spans two buffers. */
export class MemoryReader implements WeightReader {
  private readonly pieces: readonly Uint8Array[];
  private piece = 0;
  private at = 0;
  private left: number;

  constructor(data: io.WeightData) {
    this.pieces = (Array.isArray(data) ? data : [data]).map(bytesOf);
    this.left = this.pieces.reduce((sum, {length}) => sum + length, 0);
  }

  expect(bytes: number): void {
    const missing = bytes - this.left;
    if (missing > 0) throw errors.file('the model', `describes more weights than its data holds: ${missing} bytes are missing`, advice);
  }

  next(bytes: number): Uint8Array {
    this.expect(bytes);
    this.left -= bytes;
    const view = this.takePart(bytes);
    if (view.length === bytes) return view;
    const joined = new Uint8Array(bytes);
    joined.set(view);
    for (let done = view.length; done < bytes; ) {
      const part = this.takePart(bytes - done);
      joined.set(part, done);
      done += part.length;
    }
    return joined;
  }

  private takePart(most: number): Uint8Array {
    while (this.piece < this.pieces.length - 1 && this.at === (this.pieces[this.piece] as Uint8Array).length) {
      this.piece++;
      this.at = 0;
    }
    const part = (this.pieces[this.piece] ?? new Uint8Array(0)).subarray(this.at, this.at + most);
    this.at += part.length;
    return part;
  }

  async close(): Promise<void> {}
}

/** A handler should give an ArrayBuffer; several in use give a typed array or a Buffer. */
function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
}

/** Weights that arrive as a stream (tf.io.http with streamWeights). */
export class StreamReader implements WeightReader {
  private readonly reader: ReadableStreamDefaultReader<ArrayBuffer | ArrayBufferView>;
  private readonly chunks: Uint8Array[] = [];
  private held = 0;

  constructor(stream: ReadableStream<ArrayBuffer | ArrayBufferView>) {
    this.reader = stream.getReader();
  }

  expect(): void {} // the stream's end tells

  async next(bytes: number): Promise<Uint8Array> {
    while (this.held < bytes) {
      const {done, value} = await this.reader.read();
      if (done)
        throw errors.file('the model', `describes more weights than its stream gave: ${bytes - this.held} bytes are missing`, advice);
      const chunk = bytesOf(value);
      this.chunks.push(chunk);
      this.held += chunk.length;
    }
    const joined = new Uint8Array(bytes);
    for (let done = 0; done < bytes; ) {
      const chunk = this.chunks[0] as Uint8Array;
      const part = chunk.subarray(0, bytes - done);
      joined.set(part, done);
      done += part.length;
      if (part.length === chunk.length) this.chunks.shift();
      else this.chunks[0] = chunk.subarray(part.length);
    }
    this.held -= bytes;
    return joined;
  }

  async close(): Promise<void> {
    await this.reader.cancel().catch(() => undefined);
  }
}

/** All that a stream gives, in the pieces in which it comes. */
export async function readWhole(stream: ReadableStream<ArrayBuffer | ArrayBufferView>): Promise<ArrayBuffer[]> {
  const pieces: ArrayBuffer[] = [];
  const reader = stream.getReader();
  for (;;) {
    const {done, value} = await reader.read();
    if (done) return pieces;
    pieces.push(new Uint8Array(bytesOf(value)).buffer);
  }
}
