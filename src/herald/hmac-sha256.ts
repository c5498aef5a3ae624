// HMAC-SHA-256 (RFC 2104, FIPS 180-4) with a prepared key, for the short texts of tickets. node:crypto makes
// an object, a stream and a buffer for each signature, which costs several times the hash itself; a lookup
// signs four. The state after the key blocks is kept, so a ticket costs two or three rounds of arithmetic.
// Tested against node:crypto over all lengths.

const K = new Int32Array(64);
const INITIAL = new Int32Array(8);
{
  // The first 32 bits of the fractions of the cube (square) roots of the first 64 (8) primes.
  const bits = (root: number): number => Math.floor((root - Math.floor(root)) * 2 ** 32) | 0;
  let found = 0;
  for (let candidate = 2; found < 64; candidate++) {
    let prime = true;
    for (let d = 2; d * d <= candidate; d++) if (candidate % d === 0) prime = false;
    if (!prime) continue;
    if (found < 8) INITIAL[found] = bits(Math.sqrt(candidate));
    K[found++] = bits(Math.cbrt(candidate));
  }
}

const BLOCK_BYTES = 64;
const schedule = new Int32Array(64);

/** One round of SHA-256 over the 16 words at the start of `schedule`, into `state`. */
function compress(state: Int32Array): void {
  const w = schedule;
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15]!;
    const y = w[i - 2]!;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0;
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  let f = state[5]!;
  let g = state[6]!;
  let h = state[7]!;
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i]! + w[i]!) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] = (state[0]! + a) | 0;
  state[1] = (state[1]! + b) | 0;
  state[2] = (state[2]! + c) | 0;
  state[3] = (state[3]! + d) | 0;
  state[4] = (state[4]! + e) | 0;
  state[5] = (state[5]! + f) | 0;
  state[6] = (state[6]! + g) | 0;
  state[7] = (state[7]! + h) | 0;
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const CODES = Uint8Array.from(DIGITS, (digit) => digit.charCodeAt(0));

export interface MacKey {
  inner: Int32Array;
  outer: Int32Array;
}

/** Prepares a key of at most 64 bytes. */
export function macKey(key: Uint8Array): MacKey {
  const after = (pad: number): Int32Array => {
    schedule.fill(0, 0, 16);
    for (let i = 0; i < BLOCK_BYTES; i++) {
      schedule[i >> 2]! |= ((key[i] ?? 0) ^ pad) << (24 - 8 * (i & 3));
    }
    const state = INITIAL.slice();
    compress(state);
    return state;
  };
  return { inner: after(0x36), outer: after(0x5c) };
}

const state = new Int32Array(8);

/** The first 16 bytes of the HMAC of an ASCII text, as 22 characters of base64url: a ticket's signature. */
export function macText(key: MacKey, text: string): string {
  const { length } = text;
  state.set(key.inner);
  const blocks = Math.floor((length + 8) / BLOCK_BYTES) + 1;
  for (let block = 0; block < blocks; block++) {
    const from = block * BLOCK_BYTES;
    for (let word = 0; word < 16; word++) {
      const at = from + 4 * word;
      schedule[word] =
        at + 3 < length
          ? (text.charCodeAt(at) << 24) |
            (text.charCodeAt(at + 1) << 16) |
            (text.charCodeAt(at + 2) << 8) |
            text.charCodeAt(at + 3)
          : (byteAt(text, at) << 24) |
            (byteAt(text, at + 1) << 16) |
            (byteAt(text, at + 2) << 8) |
            byteAt(text, at + 3);
    }
    if (block === blocks - 1) schedule[15] = (BLOCK_BYTES + length) * 8;
    compress(state);
  }
  schedule.set(state);
  schedule[8] = 0x80000000 | 0;
  schedule.fill(0, 9, 15);
  schedule[15] = (BLOCK_BYTES + 32) * 8;
  state.set(key.outer);
  compress(state);
  return first16(state);
}

/** The text, then the bit 1, then zeros. */
function byteAt(text: string, at: number): number {
  return at < text.length ? text.charCodeAt(at) : at === text.length ? 0x80 : 0;
}

/** 128 bits are 21 groups of six and two bits more, which base64url fills up with zeros. */
function first16(words: Int32Array): string {
  const a = words[0]!;
  const b = words[1]!;
  const c = words[2]!;
  const d = words[3]!;
  // One call makes one piece of text; put together from parts it would be a tree of them.
  return String.fromCharCode(
    CODES[a >>> 26]!,
    CODES[(a >>> 20) & 63]!,
    CODES[(a >>> 14) & 63]!,
    CODES[(a >>> 8) & 63]!,
    CODES[(a >>> 2) & 63]!,
    CODES[((a << 4) | (b >>> 28)) & 63]!,
    CODES[(b >>> 22) & 63]!,
    CODES[(b >>> 16) & 63]!,
    CODES[(b >>> 10) & 63]!,
    CODES[(b >>> 4) & 63]!,
    CODES[((b << 2) | (c >>> 30)) & 63]!,
    CODES[(c >>> 24) & 63]!,
    CODES[(c >>> 18) & 63]!,
    CODES[(c >>> 12) & 63]!,
    CODES[(c >>> 6) & 63]!,
    CODES[c & 63]!,
    CODES[d >>> 26]!,
    CODES[(d >>> 20) & 63]!,
    CODES[(d >>> 14) & 63]!,
    CODES[(d >>> 8) & 63]!,
    CODES[(d >>> 2) & 63]!,
    CODES[(d << 4) & 63]!,
  );
}
