// The bricks of the binary frames of wire 7: a writer that grows, a reader that refuses instead of reading
// past the end, and a table that turns repeated names into strings without decoding them each time.

import { refuse } from './decode.ts';

/** Appends to one buffer that grows; `take` hands out an exact copy and starts anew. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 1_024) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  /** An unsigned integer up to 2^53 - 1, 7 bits a byte, low bits first (LEB128). */
  varint(value: number): void {
    this.#room(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  float64(value: number): void {
    this.#room(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** ASCII of at most 255 characters behind its length. */
  name(text: string): void {
    const { length } = text;
    this.#room(length + 1);
    this.#bytes[this.#length++] = length;
    for (let i = 0; i < length; i++) this.#bytes[this.#length++] = text.charCodeAt(i);
  }

  bytes(data: Uint8Array): void {
    this.#room(data.length);
    this.#bytes.set(data, this.#length);
    this.#length += data.length;
  }

  /** What was written, as a buffer of its own. */
  take(): Uint8Array {
    const copy = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return copy;
  }

  #room(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

const TABLE_SLOTS = 16_384;

/**
 * Names seen lately, by their bytes: a name that repeats costs a hash and a compare instead of a new string.
 * One slot a hash; a collision replaces. Every name returned matches the pattern.
 */
export class NameTable {
  readonly #slots = new Array<string | undefined>(TABLE_SLOTS);
  readonly #pattern: RegExp;
  readonly #words: string;

  constructor(pattern: RegExp, words: string) {
    this.#pattern = pattern;
    this.#words = words;
  }

  /** The name in `bytes` from `start` to `end`; refuses what does not match the pattern. */
  read(bytes: Uint8Array, start: number, end: number, field: string): string {
    let hash = 0x811c9dc5;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    const slot = (hash ^ (hash >>> 15)) & (TABLE_SLOTS - 1);
    const known = this.#slots[slot];
    if (known !== undefined && sameName(known, bytes, start, end)) return known;
    const name = String.fromCharCode(...bytes.subarray(start, end));
    if (!this.#pattern.test(name)) return refuse(field, name, this.#words);
    this.#slots[slot] = name;
    return name;
  }
}

function sameName(name: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}

/** Reads one frame front to back. Every method refuses (see decode.ts) rather than leave the frame. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(field: string): number {
    return this.#bytes[this.#at++] ?? refuse(field, undefined, 'one more byte');
  }

  varint(field: string, max = Number.MAX_SAFE_INTEGER): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.byte(field);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value <= max ? value : refuse(field, value, `at most ${max}`);
      scale *= 0x80;
    }
    return refuse(field, value, 'an integer of at most 8 bytes');
  }

  /** Milliseconds since 1970, or any other finite number from 0 to 2^53. */
  float64(field: string): number {
    if (this.left < 8) refuse(field, this.left, '8 more bytes');
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) refuse(field, value, 'a number from 0 to 2^53');
    return value;
  }

  name(field: string, table: NameTable): string {
    const length = this.byte(field);
    if (length > this.left) refuse(field, length, `at most the ${this.left} bytes that follow`);
    const start = this.#at;
    this.#at += length;
    return table.read(this.#bytes, start, this.#at, field);
  }

  /** A view of the next bytes behind their length; no copy. */
  data(field: string, maxBytes: number): Uint8Array {
    const length = this.varint(field, maxBytes);
    if (length > this.left) refuse(field, length, `at most the ${this.left} bytes that follow`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** A copy of exactly `length` bytes. */
  fixed(field: string, length: number): Uint8Array {
    if (length > this.left) refuse(field, this.left, `${length} more bytes`);
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at);
  }

  end(): void {
    if (this.left > 0) refuse('frame', this.left, 'no bytes behind the last field');
  }
}
