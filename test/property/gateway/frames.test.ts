// No bytes from a client crash a decoder, and what the gateway writes is what the standard reads.

import fc from 'fast-check';
import { inflateRawSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { deflatedTwin, encodeMessage, messagePrefix } from '../../../src/gateway/core/message-frame.ts';
import type { SessionState } from '../../../src/gateway/core/session.ts';
import { judgeFrame } from '../../../src/gateway/core/session.ts';
import { encodeFrame, jsonFrame, OPCODE } from '../../../src/gateway/core/ws-frame.ts';
import { createDeflate } from '../../../src/gateway/clients/deflate-zlib.ts';
import { seededRandom } from '../../../src/sim/chance.ts';
import { readFrames } from '../../launch/raw-ws.ts';
import { decodeClientOut } from '../../../src/protocol/client-out-frames.ts';
import { plainAllocate } from '../../unit/gateway/plain-allocate.ts';

/** Enough to meet every verdict; `npm test` looks ten times as long. */
const FUZZ_INPUTS = Number(process.env['FUZZ_INPUTS'] ?? 20_000);
const topic = fc.stringMatching(/^[!#-[\]-~]{1,40}$/);
const offset = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

/** The texts of whole frames, read by the test's own reader. */
function received(bytes: Uint8Array): string[] {
  const { frames, used } = readFrames(Buffer.from(bytes));
  expect(used).toBe(bytes.length);
  for (const frame of frames) expect(frame).toMatchObject({ fin: true, rsv: 0, opcode: 1, masked: false });
  return frames.map(({ payload }) => payload.toString());
}

it('writes frames of any length that a client reads back', () => {
  const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000];
  for (const length of lengths) {
    const payload = Buffer.alloc(length, 'x');
    expect(received(encodeFrame(payload, OPCODE.text, false, plainAllocate))).toEqual([payload.toString()]);
  }
});

it('writes msg frames that are the JSON they stand for', () => {
  fc.assert(
    fc.property(
      topic,
      fc.stringMatching(/^[A-Za-z0-9]{0,16}$/),
      offset,
      fc.jsonValue(),
      (name, epoch, at, value) => {
        const data = Buffer.from(JSON.stringify(value));
        const frame = encodeMessage(messagePrefix(name), epoch, at, data, plainAllocate);
        const [text] = received(frame);
        const expected = { op: 'msg', c: name, ...(epoch !== '' && { e: epoch }), o: at, d: value };
        expect(JSON.parse(text!)).toEqual(JSON.parse(JSON.stringify(expected)));
        expect(decodeClientOut(text!)).toMatchObject({ ok: true });
      },
    ),
  );
});

it('compresses to what inflates to the same, or leaves the frame as it is', () => {
  let saved = 0;
  const deflate = createDeflate(1, (bytes) => (saved += bytes));
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 3_000 }),
      fc.integer({ min: 1, max: 30 }),
      (text, times) => {
        const plain = jsonFrame({ text: text.repeat(times) }, plainAllocate);
        const twin = deflatedTwin(plain, deflate, plainAllocate);
        if (twin === plain) return;
        expect(twin.length).toBeLessThan(plain.length);
        expect(twin[0]).toBe(0xc1);
        const body = Buffer.from(twin.subarray(twin[1]! < 126 ? 2 : twin[1] === 126 ? 4 : 10));
        const inflated = inflateRawSync(Buffer.concat([body, Buffer.from([0, 0, 0xff, 0xff])]), {
          finishFlush: 2,
        });
        expect(JSON.parse(inflated.toString())).toEqual({ text: text.repeat(times) });
      },
    ),
  );
  expect(saved).toBeGreaterThan(0);
});

// Includes decodeClientIn, which every verdict starts with.
it('judges any text in any state without throwing', { timeout: 120_000 }, () => {
  const states: SessionState[] = ['greeting', 'open', 'closing'];
  const chance = seededRandom(20_180_119);
  const random = (below: number): number => Math.floor(chance() * below);
  const verdicts = new Set<string>();
  for (let run = 0; run < FUZZ_INPUTS; run++) {
    const text = mutated(LIKELY[random(LIKELY.length)]!, random);
    verdicts.add(judgeFrame(text, states[random(3)]!, []).do);
    decodeClientOut(text);
  }
  // The mutations reach deep enough that every kind of verdict is met.
  expect([...verdicts].sort()).toEqual(
    ['answer', 'close', 'nothing', 'publish', 'subscribe', 'unsubscribe', 'welcome'].sort(),
  );
});

const LIKELY = [
  '{"op":"hello","v":1,"caps":["gap","move"],"token":"abc"}',
  '{"op":"sub","id":1,"c":[{"c":"orders.eu","from":{"e":"9f","o":41}},"b"]}',
  '{"op":"unsub","id":2,"c":["orders.eu"]}',
  '{"op":"pub","id":3,"c":"chat.1","d":{"deep":[1,null,{"x":"\\u00fc"}]}}',
  '{"op":"ping"}',
  '{"op":"msg","c":"a","e":"f1","o":9,"d":1e308}',
  '{"op":"gap","c":"a","e":"f1","from":3,"n":2,"why":"trimmed"}',
  '{"op":"ok","id":1,"c":[{"c":"a","e":"x","o":5,"rec":true}]}',
  '{"op":"welcome","v":1,"caps":[],"conn":"c","gateway":"g","pingMs":1,"max":{"frame":1,"topics":1},"lookup":[]}',
  '{"op":"move","why":"drain","spreadMs":5,"deadlineMs":9}',
  '{"op":"__proto__","constructor":{},"id":-0}',
];
const SCRAPS = [
  '"',
  '{',
  '[',
  ']',
  '}',
  ':',
  ',',
  '-1',
  '1e999',
  'null',
  'true',
  '"__proto__"',
  '\u0000',
  '\ud800',
];

/** The text with up to four cuts, repeats, replaced characters or JSON scraps in it. */
function mutated(text: string, random: (below: number) => number): string {
  let result = text;
  for (let left = random(5); left > 0; left--) {
    const at = random(result.length + 1);
    switch (random(5)) {
      case 0:
        result = result.slice(0, at);
        break;
      case 1:
        result = result.slice(0, at) + result.slice(at + 1 + random(8));
        break;
      case 2:
        result = result.slice(0, at) + SCRAPS[random(SCRAPS.length)]! + result.slice(at + random(3));
        break;
      case 3:
        result = result.slice(0, at) + String.fromCharCode(random(0x250)) + result.slice(at + 1);
        break;
      default:
        result = result.slice(0, at) + result.slice(random(result.length + 1), at + random(20));
    }
  }
  return result;
}

it('ignores ops of negotiated capabilities that are only inherited names', () => {
  for (const name of ['toString', 'constructor', '__proto__', 'hasOwnProperty']) {
    const verdict = judgeFrame(JSON.stringify({ op: name, id: 1 }), 'open', [{ name: 'x', ops: {} }]);
    expect(verdict).toMatchObject({ do: 'answer', frame: { op: 'err', id: 1 } });
  }
});
