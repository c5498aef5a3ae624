// Every frame of the broker wire: what is encoded is decoded, and what was cut is refused. That no bytes make a
// decoder throw is shown with all the other decoders, in test/property/fuzz.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter } from '../../../src/protocol/bytes.ts';
import type { Decoded } from '../../../src/protocol/decode.ts';
import { decoding } from '../../../src/protocol/decode.ts';
import type { Publication, Source } from '../../../src/protocol/publication.ts';
import {
  createFrameNames,
  decodePublishAck,
  decodePublishBatch,
  encodePublishAck,
  encodePublishBatch,
  MESSAGE_FLAG,
  REFUSAL_REASONS,
} from '../../../src/protocol/publication.ts';
import {
  decodeBrokerOut,
  encodeEnvelope,
  encodeHeads,
  writeSection,
} from '../../../src/protocol/publication-envelope.ts';
import type { Section, SequencedMessage } from '../../../src/protocol/publication-envelope.ts';
import type { RepairReply, RepairRequest } from '../../../src/protocol/publication-repair.ts';
import {
  decodeRepairReply,
  decodeRepairRequest,
  encodeRepairReply,
  encodeRepairRequest,
} from '../../../src/protocol/publication-repair.ts';

import { decodeTraceNotes, encodeTraceNotes } from '../../../src/protocol/publication-trace.ts';

const names = createFrameNames();
const writer = new ByteWriter(16);
const written = (one: Section): Uint8Array => {
  writeSection(writer, one);
  return writer.take();
};
const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 2_000) };

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const text = (chars: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...Array.from(chars)), minLength, maxLength });
const whole = fc.oneof(fc.nat(300), fc.maxSafeNat());
const id = text(letters, 1, 40);
const epoch = text(letters, 1, 16);
const topic = text(`${letters}._-:/$#!~`, 1, 255);
const data = fc.uint8Array({ maxLength: 300 });
const bucket = fc.nat(255);
const source: fc.Arbitrary<Source> = fc.record({
  publisher: id,
  origin: fc.oneof(fc.constant(''), id),
  hop: fc.nat(255),
});
const message = (of: readonly Source[]): fc.Arbitrary<SequencedMessage> =>
  fc.record({
    topic,
    data,
    source: fc.constantFrom(...of),
    sequence: whole,
    flags: fc.nat(255),
    publishedAtMs: fc.nat(2 ** 42),
    offset: whole,
  });
const messages = fc
  .array(source, { minLength: 1, maxLength: 4 })
  .chain((sources) => fc.array(message(sources), { maxLength: 20 }));
const section = fc.record({ bucket, firstSequence: whole, messages });
const heads = fc.array(fc.record({ bucket, sequence: whole }), { maxLength: 256 });

function value<T>(decoded: Decoded<T>): T {
  if (!decoded.ok) throw new Error(JSON.stringify(decoded.refusal));
  return decoded.value;
}

describe('round trips', () => {
  it('integers up to 2^53 - 1', () => {
    fc.assert(
      fc.property(whole, (number) => {
        writer.varint(number);
        const bytes = writer.take();
        expect(value(decoding(() => new ByteReader(bytes).varint('n')))).toBe(number);
      }),
      RUNS,
    );
  });

  it('publish batches', () => {
    fc.assert(
      fc.property(whole, messages, (batch, list) => {
        const plain = list.map((one): Publication => ({ ...one, offset: 0 }) as Publication);
        const decoded = value(
          decodePublishBatch(encodePublishBatch(writer, { batch, messages: plain }), names),
        );
        expect(decoded).toEqual({ batch, messages: plain.map((one) => ({ ...one, offset: 0 })) });
      }),
    );
  });

  it('acks', () => {
    const refused = fc.array(
      fc.record({ index: fc.nat(1_024), reason: fc.constantFrom(...REFUSAL_REASONS) }),
      { maxLength: 5 },
    );
    const status = fc.constantFrom('taken' as const, 'draining' as const);
    const acks = fc.array(fc.record({ batch: whole, status, refused }), { maxLength: 20 });
    fc.assert(
      fc.property(fc.record({ epoch, acks }), (ack) => {
        expect(value(decodePublishAck(encodePublishAck(writer, ack), names))).toEqual(ack);
      }),
    );
  });

  it('envelopes of both lanes', () => {
    fc.assert(
      fc.property(epoch, fc.array(section, { maxLength: 5 }), (life, sections) => {
        const before = structuredClone(sections);
        const encoded = sections.map(written);
        const wide = value(decodeBrokerOut(encodeEnvelope(writer, 'wide', 0, life, encoded), names));
        expect(wide).toEqual({ kind: 'envelope', epoch: life, sections: before });
        expect(sections).toEqual(before);
        for (const [i, one] of encoded.entries()) {
          const { bucket: of } = sections[i]!;
          const narrow = value(decodeBrokerOut(encodeEnvelope(writer, 'narrow', of, life, [one]), names));
          expect(narrow).toEqual({ kind: 'envelope', epoch: life, sections: [before[i]] });
        }
      }),
    );
  });

  it('heads', () => {
    const state = fc.constantFrom('up' as const, 'draining' as const, 'bye' as const);
    fc.assert(
      fc.property(fc.record({ broker: id, epoch, state, nowMs: fc.nat(2 ** 42), heads }), (one) => {
        expect(value(decodeBrokerOut(encodeHeads(writer, one), names))).toEqual({ kind: 'heads', ...one });
      }),
    );
  });

  it('notes of traced messages, with hops that are not known yet and fields of a later version behind', () => {
    const stamp = fc.record({
      hop: fc.nat(255),
      by: id,
      atMs: fc.double({ min: 0, max: 2 ** 42, noNaN: true }),
    });
    const stamps = fc.array(stamp, { maxLength: 16 });
    const notes = fc.array(fc.record({ publisher: id, sequence: whole, stamps }), { maxLength: 20 });
    fc.assert(
      fc.property(notes, fc.uint8Array({ maxLength: 20 }), (list, more) => {
        const encoded = encodeTraceNotes(writer, list);
        expect(value(decodeTraceNotes(Buffer.concat([encoded, more]), names))).toEqual(list);
      }),
    );
  });

  it('a traced message differs from a plain one by its flag alone', () => {
    fc.assert(
      fc.property(message([{ publisher: 'p', origin: '', hop: 0 }]), (one) => {
        const flags = one.flags & ~MESSAGE_FLAG.traced;
        const [plain, traced] = [flags, flags | MESSAGE_FLAG.traced].map((set) =>
          encodePublishBatch(writer, { batch: 1, messages: [{ ...one, flags: set }] }),
        );
        const differing = Array.from(plain!, (byte, i) => byte ^ traced![i]!);
        expect(traced).toHaveLength(plain!.length);
        expect(differing.filter((byte) => byte !== 0)).toEqual([MESSAGE_FLAG.traced]);
      }),
    );
  });

  it('repair requests and replies', () => {
    const interest = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const query = fc.record({
      topic,
      want: fc.constantFrom('head' as const, 'since' as const, 'held' as const),
      epoch: fc.oneof(fc.constant(''), epoch),
      afterOffset: whole,
    });
    const of = fc.oneof(fc.constant(''), epoch);
    const request: fc.Arbitrary<RepairRequest> = fc.oneof(
      fc.record({ request: whole, kind: fc.constantFrom('interest' as const, 'leave' as const) }),
      fc.record({ request: whole, kind: fc.constant('heads' as const), of, interest }),
      fc.record({
        request: whole,
        kind: fc.constant('range' as const),
        of,
        bucket,
        fromSequence: whole,
        toSequence: whole,
      }),
      fc.record({
        request: whole,
        kind: fc.constant('topics' as const),
        of,
        maxMessages: whole,
        maxBytes: whole,
        queries: fc.array(query, { maxLength: 10 }),
      }),
    );
    const answer = fc.record({
      topic,
      status: fc.constantFrom(
        'complete' as const,
        'over-limit' as const,
        'trimmed' as const,
        'epoch-gone' as const,
      ),
      headOffset: whole,
      ownOffset: whole,
      messages,
    });
    const common = { request: whole, epoch };
    const reply: fc.Arbitrary<RepairReply> = fc.oneof(
      fc.record({ ...common, kind: fc.constant('heads' as const), upMs: whole, heads }),
      fc.record({ ...common, kind: fc.constantFrom('leave' as const, 'not-held' as const) }),
      fc.record({ ...common, kind: fc.constant('interest' as const), interest }),
      fc.record({
        ...common,
        kind: fc.constant('range' as const),
        bucket,
        firstHeldSequence: whole,
        headSequence: whole,
        section,
      }),
      fc.record({
        ...common,
        kind: fc.constant('topics' as const),
        answers: fc.array(answer, { maxLength: 5 }),
      }),
    );
    fc.assert(
      fc.property(request, (one) => {
        expect(value(decodeRepairRequest(encodeRepairRequest(writer, one), names))).toEqual(one);
      }),
    );
    fc.assert(
      fc.property(reply, (one) => {
        expect(value(decodeRepairReply(encodeRepairReply(writer, one), names))).toEqual(one);
      }),
    );
  });
});

describe('a time that could not be written again', () => {
  it('is refused, whatever it is made of', () => {
    const decode = (base: number, time: number): Decoded<unknown> => {
      writer.bytes(Uint8Array.of(0x50, 1, 1));
      writer.float64(base);
      writer.bytes(Uint8Array.of(1, 1, 0x70, 0, 0, 1, 0, 0, 1));
      writer.varint(time);
      writer.bytes(Uint8Array.of(1, 0x74, 1, 0x31));
      return decodePublishBatch(writer.take(), names);
    };
    const most = Number.MAX_SAFE_INTEGER;
    expect([decode(0, most), decode(most, 0), decode(1.7e12, 5)].map(({ ok }) => ok)).toEqual([
      true,
      true,
      true,
    ]);
    expect([decode(1, most), decode(most, most)].map(({ ok }) => ok)).toEqual([false, false]);
  });
});

describe('a frame that was cut', () => {
  it('is refused by its own decoder, wherever the cut is', () => {
    const of = <T>(decode: T, frame: Uint8Array) => [decode, frame] as const;
    const batch = messages.map((list) =>
      of(decodePublishBatch, encodePublishBatch(writer, { batch: 7, messages: list })),
    );
    const envelope = fc
      .tuple(epoch, section)
      .map(([life, one]) =>
        of(decodeBrokerOut, encodeEnvelope(writer, 'narrow', one.bucket, life, [written(one)])),
      );
    const reply = fc.tuple(epoch, section).map(([life, one]) =>
      of(
        decodeRepairReply,
        encodeRepairReply(writer, {
          request: 1,
          epoch: life,
          kind: 'range',
          bucket: one.bucket,
          firstHeldSequence: 1,
          headSequence: 2,
          section: one,
        }),
      ),
    );
    fc.assert(
      fc.property(fc.oneof(batch, envelope, reply), fc.nat(), ([decode, frame], at) => {
        expect(decode(frame.subarray(0, at % frame.length), names).ok).toBe(false);
      }),
      RUNS,
    );
  });
});
