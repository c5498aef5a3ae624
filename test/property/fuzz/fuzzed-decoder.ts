// A decoder of bytes from outside as it is fuzzed, and how one that reads a text or a value becomes one.

import type { Decoded } from '../../../src/protocol/decode.ts';
import { decodeJson } from '../../../src/protocol/decode.ts';

export interface FuzzedDecoder {
  decode: (bytes: Buffer) => Decoded<unknown>;
  /** Each is taken as it stands. */
  examples: Buffer[];
  /** An accepted value as bytes again, which must decode to the same value. */
  encode?: (value: never) => Uint8Array | string;
  /** Holds any JSON value of a program's own, in these fields. */
  free?: RegExp;
  /** Some noise may be taken: almost any text is a query or a name. */
  takesNoise?: true;
}

export const text = (bytes: Buffer): string => bytes.toString('latin1');
export const ofText =
  (decode: (text: string) => Decoded<unknown>) =>
  (bytes: Buffer): Decoded<unknown> =>
    decode(text(bytes));
export const ofJson =
  (decode: (value: unknown) => Decoded<unknown>) =>
  (bytes: Buffer): Decoded<unknown> => {
    const value = decodeJson(text(bytes));
    return value.ok ? decode(value.value) : value;
  };
export const json = (...values: unknown[]): Buffer[] =>
  values.map((value) => Buffer.from(JSON.stringify(value)));
export const inJson = (value: unknown): string => JSON.stringify(value);
export const texts = (...values: string[]): Buffer[] => values.map((value) => Buffer.from(value));
