// Valid input, damaged: bits flipped, pieces cut, doubled, swapped and spliced with those of another example,
// JSON values put in each other's place; and now and then pure noise. Own generator on one scratch buffer,
// since a decoder call costs less than a framework's bookkeeping.

export interface Source {
  /** The next input; a view that lives until the next call. */
  next(): Buffer;
  /** Whether the last one was noise and no example of anything. */
  isNoise(): boolean;
}

const TOKENS = [
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    'null',
    'true',
    '-1',
    '1e999',
    '1e300',
    '0.5',
    '""',
    '"x"',
    '[]',
    '{}',
  ],
  ...['NaN', '9007199254740993', '-0', '\\u0000', '"\\ud800"', '"__proto__"', '{"__proto__":{"x":1}}', '0x'],
].map((text) => Buffer.from(text));
const SCRATCH_BYTES = 65_536;
/** One input of this many is noise. */
const NOISE_EVERY = 16;
const MAX_NOISE_BYTES = 64;

/** Values of a JSON text that have others around them. */
const SCALAR = String.raw`"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null`;
const FLAT = String.raw`\[[^[\]{}]*\]|\{[^[\]{}]*\}`;
const JSON_VALUES = [SCALAR, FLAT].map((value) => new RegExp(`(?<=[[:,])(?:${value})(?=[\\],}])`, 'g'));

export function damagedFrom(examples: readonly Buffer[], seed: number): Source {
  const random = xorshift(seed);
  const scratch = Buffer.alloc(SCRATCH_BYTES);
  const values = examples.map((example) =>
    JSON_VALUES.flatMap((pattern) =>
      [...example.toString('latin1').matchAll(pattern)].map(({ index, 0: text }) => ({ index, text })),
    ),
  );
  let length = 0;
  let calls = 0;
  let noise = false;

  /** Replaces `gone` bytes at `at`. */
  const splice = (at: number, gone: number, put: Uint8Array): void => {
    const end = Math.min(length, at + gone);
    scratch.copyWithin(at + put.length, end, length);
    scratch.set(put, at);
    length = Math.min(SCRATCH_BYTES / 2, at + put.length + (length - end));
  };
  const token = (): Buffer => TOKENS[random() % TOKENS.length]!;

  const change = (): void => {
    const at = length === 0 ? 0 : random() % length;
    const some = random() % 12;
    switch (random() % 7) {
      case 0:
        scratch[at]! ^= 1 << (random() % 8);
        break;
      case 1:
        length = at;
        break;
      case 2:
        splice(at, some, new Uint8Array(0));
        break;
      case 3:
        splice(at, 0, Buffer.from(scratch.subarray(at, Math.min(length, at + some))));
        break;
      case 4:
        splice(at, 0, token());
        break;
      case 5:
        for (let i = at; i < Math.min(length, at + some); i++) scratch[i] = random();
        break;
      default: {
        const other = examples[random() % examples.length]!;
        const from = random() % other.length;
        splice(at, some, other.subarray(from, from + (random() % 24)));
      }
    }
  };

  return {
    isNoise: () => noise,
    next() {
      calls += 1;
      noise = calls % NOISE_EVERY === 0;
      if (noise) {
        length = random() % MAX_NOISE_BYTES;
        for (let i = 0; i < length; i++) scratch[i] = random();
        return scratch.subarray(0, length);
      }
      const index = random() % examples.length;
      const example = examples[index]!;
      scratch.set(example);
      length = example.length;
      const spans = values[index]!;
      if (spans.length > 0 && random() % 2 === 0) {
        const { index: at, text } = spans[random() % spans.length]!;
        splice(at, text.length, token());
        // Often this alone: two faults at once are found by the first.
        if (random() % 2 === 0) return scratch.subarray(0, length);
      }
      for (let left = random() % 3; left >= 0; left--) change();
      return scratch.subarray(0, length);
    },
  };
}

/** Marsaglia's xorshift32: the same inputs in every run with that seed. */
function xorshift(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
