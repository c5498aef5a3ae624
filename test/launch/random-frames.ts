// What a broken or hostile client may write after the upgrade: our ops with odd values, every opcode and header bit,
// lengths that lie, masks left out, noise. From a seed, so that a run can be repeated.

import type { Random } from '../../src/sim/chance.ts';
import type { FrameShape } from './raw-ws.ts';
import { rawFrame } from './raw-ws.ts';

const ODD_VALUES: readonly unknown[] = [
  ...[null, true, -1, 0, 1.5, 2 ** 31, 1e300, '', 'x', '\u0000', '\ud800', 'ü', 'a b', 'x'.repeat(300)],
  ...[
    [],
    {},
    [[]],
    [null],
    { c: 'a' },
    { c: 'a', from: { e: '9f', o: -1 } },
    { c: 'a', from: { e: '9f', o: 3 } },
  ],
  ...[['a', 'b'], Array.from({ length: 300 }, (_, i) => `fuzz.${i}`), { __proto__: null, constructor: 1 }],
];
const OPS = ['hello', 'sub', 'unsub', 'pub', 'ping', 'pong', 'bye', 'msg', 'ok', 'teleport', '__proto__', ''];

/** The bytes of one frame, or of what passes for one. */
export function randomFrame(random: Random): Buffer {
  const chance = random();
  if (chance < 0.1) return noise(random, 200);
  if (chance < 0.55) return rawFrame({ opcode: 1, payload: randomOp(random) });
  return rawFrame(randomShape(random));
}

function randomOp(random: Random): string {
  const fields = Object.fromEntries(
    ['v', 'id', 'c', 'd', 'caps', 'token'].flatMap((field) =>
      random() < 0.5 ? [[field, pick(random, ODD_VALUES)]] : [],
    ),
  );
  const valid = random() < 0.5 ? { id: whole(random, 100), c: [`fuzz.${whole(random, 50)}`] } : {};
  const text = JSON.stringify({ op: pick(random, OPS), ...fields, ...valid });
  // Now and then cut, or nested deeper than anybody means.
  if (random() < 0.1) return text.slice(0, whole(random, text.length));
  return random() < 0.03 ? `${'['.repeat(5_000)}${text}` : text;
}

function randomShape(random: Random): FrameShape {
  const lie = random() < 0.1;
  return {
    opcode: whole(random, 16),
    fin: random() < 0.7,
    rsv: random() < 0.8 ? 0 : whole(random, 8),
    payload: random() < 0.5 ? noise(random, 400) : randomOp(random),
    ...(random() < 0.1 && { mask: false as const }),
    ...(lie && {
      lengthBytes: pick(random, [2, 8] as const),
      claimedLength: BigInt(Math.floor(random() * 2 ** (8 * whole(random, 7)))) & 0xffffn,
    }),
  };
}

/** The bytes in pieces of any size, as a network may hand them over. */
export function inPieces(random: Random, bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = 1 + whole(random, random() < 0.2 ? 3 : bytes.length);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

function noise(random: Random, most: number): Buffer {
  return Buffer.from(Array.from({ length: whole(random, most) }, () => whole(random, 256)));
}

function whole(random: Random, below: number): number {
  return Math.floor(random() * below);
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[whole(random, list.length)]!;
}
