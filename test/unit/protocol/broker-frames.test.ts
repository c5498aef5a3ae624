// Frames between brokers and gateways that are nearly right, and the edges of the readers below them.

import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../../src/protocol/bytes.ts';
import { optionalInteger, optionalNumber } from '../../../src/protocol/decode.ts';
import { createFrameNames } from '../../../src/protocol/publication.ts';
import { decodeBrokerOut, encodeEnvelope, encodeHeads } from '../../../src/protocol/publication-envelope.ts';
import { decodeRepairRequest, encodeRepairRequest } from '../../../src/protocol/publication-repair.ts';
import { decodeTraceNotes, encodeTraceNotes } from '../../../src/protocol/publication-trace.ts';
import { rawField } from '../../../src/protocol/raw-field.ts';

const names = createFrameNames();
const writer = new ByteWriter();
const heads = (nowMs: number): Uint8Array =>
  encodeHeads(writer, { broker: 'b1', epoch: 'e1', state: 'up', nowMs, heads: [] });
/** A section without messages. */
const section = (bucket: number): Uint8Array => {
  const to = new ByteWriter();
  to.byte(bucket);
  to.varint(1);
  to.float64(0);
  to.varint(0);
  to.varint(0);
  return to.take();
};

describe('a frame of a broker', () => {
  it.each([0, Number.MAX_SAFE_INTEGER])('is taken at %d ms', (nowMs) => {
    expect(decodeBrokerOut(heads(nowMs), names)).toMatchObject({ ok: true, value: { nowMs } });
  });

  it.each([-1, 2 ** 53, NaN, Infinity])('is refused at %d ms', (nowMs) => {
    expect(decodeBrokerOut(heads(nowMs), names)).toMatchObject({ ok: false, refusal: { field: 'nowMs' } });
  });

  it('is refused with bytes behind its end', () => {
    const longer = Uint8Array.of(...heads(1), 0);
    expect(decodeBrokerOut(longer, names)).toMatchObject({ ok: false, refusal: { field: 'frame' } });
  });

  it('on the narrow lane carries the bucket that it was filtered by, on the wide one any', () => {
    const envelope = (lane: 'narrow' | 'wide'): Uint8Array =>
      encodeEnvelope(writer, lane, 7, 'e1', [section(8)]);
    expect(decodeBrokerOut(envelope('narrow'), names)).toMatchObject({
      ok: false,
      refusal: { field: 'bucket' },
    });
    expect(decodeBrokerOut(envelope('wide'), names)).toMatchObject({ ok: true });
  });
});

it('a question whose set of buckets is cut short is refused', () => {
  const interest = new Uint8Array(32);
  const whole = encodeRepairRequest(writer, { request: 1, kind: 'heads', of: '', interest });
  expect(decodeRepairRequest(whole, names).ok).toBe(true);
  const cut = decodeRepairRequest(whole.subarray(0, -1), names);
  expect(cut).toMatchObject({ ok: false, refusal: { field: 'interest' } });
});

it('of a trace the first 16 stamps and the first 256 notes travel', () => {
  const stamps = Array.from({ length: 17 }, (_, hop) => ({ hop, by: 'b1', atMs: 1 }));
  const notes = Array.from({ length: 257 }, (_, sequence) => ({ publisher: 'p', sequence, stamps }));
  const decoded = decodeTraceNotes(encodeTraceNotes(writer, notes), names);
  expect(decoded).toMatchObject({ ok: true });
  if (decoded.ok) expect([decoded.value.length, decoded.value[0]!.stamps.length]).toEqual([256, 16]);
});

it.each([
  ['{"d":1}', 0],
  ['{"d":[[1],2]}', 2],
  ['{"a":[[[1]]],"d":{"b":[]}}', 2],
])('the depth of d in %s is %d: the deepest place counts, and no other field', (json, depth) => {
  expect(rawField(json, 'd')?.depth).toBe(depth);
});

it('a number that is -0 is read as 0', () => {
  expect(Object.is(optionalNumber({ n: -0 }, 'n', -1, 1), 0)).toBe(true);
  expect(Object.is(optionalInteger({ n: -0 }, 'n', -1, 1), 0)).toBe(true);
});
