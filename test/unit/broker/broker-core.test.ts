import { describe, expect, it } from 'vitest';
import { BrokerCore, DEFAULT_BROKER_LIMITS } from '../../../src/broker/core/broker-core.ts';
import type { BrokerCoreLimits } from '../../../src/broker/core/broker-core.ts';
import { MESSAGE_OVERHEAD_BYTES } from '../../../src/broker/core/message-shelves.ts';
import { bucketOf, emptyBucketSet } from '../../../src/protocol/bucket.ts';
import { ByteReader, ByteWriter } from '../../../src/protocol/bytes.ts';
import { decoding } from '../../../src/protocol/decode.ts';
import type { Publication, Source } from '../../../src/protocol/publication.ts';
import { createFrameNames, PUBLICATION_LIMITS } from '../../../src/protocol/publication.ts';
import { readSection } from '../../../src/protocol/publication-envelope.ts';
import { decodeRepairReply, encodeRepairReply } from '../../../src/protocol/publication-repair.ts';
import { WINDOW_SEQUENCES } from '../../../src/protocol/sequence-window.ts';

const direct: Source = { publisher: 'p', origin: '', hop: 0 };
const publication = (topic: string, sequence: number, more: Partial<Publication> = {}): Publication => ({
  topic,
  data: Buffer.from('{"a":1}'),
  source: direct,
  sequence,
  flags: 0,
  publishedAtMs: 1,
  ...more,
});
const MESSAGE_BYTES = publication('a', 0).data.length + MESSAGE_OVERHEAD_BYTES;
const coreWith = (limits: Partial<BrokerCoreLimits> = {}): BrokerCore =>
  new BrokerCore('e1', 'main', 0, { ...DEFAULT_BROKER_LIMITS, ...limits });
const books = (core: BrokerCore) => core.snapshot().ledger;

describe('BrokerCore', () => {
  it('forwards a bucket in one section, in order, with the cluster as the origin', () => {
    const core = coreWith();
    core.accept({ batch: 1, messages: [publication('a', 0), publication('a', 1)] }, 0);
    const [section, ...others] = core.takeSections();
    expect(others).toEqual([]);
    expect(section?.bucket).toBe(bucketOf('a'));
    const read = decoding(() => readSection(new ByteReader(section!.bytes), createFrameNames()));
    expect(read).toMatchObject({
      ok: true,
      value: {
        firstSequence: 1,
        messages: [
          { offset: 1, source: { publisher: 'p', origin: 'main', hop: 0 } },
          { offset: 2, source: { publisher: 'p', origin: 'main', hop: 0 } },
        ],
      },
    });
    expect(core.takeSections()).toEqual([]);
  });

  it('keeps no frame alive that a message came in', () => {
    const core = coreWith();
    const frame = new Uint8Array(100_000);
    frame.set(Buffer.from('"x"'), 5_000);
    core.accept({ batch: 1, messages: [publication('a', 0, { data: frame.subarray(5_000, 5_003) })] }, 0);
    const reply = core.answer(
      { request: 1, kind: 'range', of: '', bucket: bucketOf('a'), fromSequence: 1, toSequence: 1 },
      emptyBucketSet(),
      0,
    );
    if (reply.kind !== 'range') throw new Error(reply.kind);
    expect(reply.section.messages[0]!.data.buffer.byteLength).toBeLessThan(1_000);
    expect(Buffer.from(reply.section.messages[0]!.data).toString()).toBe('"x"');
  });

  it('takes a repeated message as taken and forwards it once', () => {
    const core = coreWith();
    const batch = { batch: 1, messages: [publication('a', 5)] };
    expect(core.accept(batch, 0)).toEqual({ batch: 1, status: 'taken', refused: [] });
    expect(core.accept({ ...batch, batch: 2 }, 0)).toEqual({ batch: 2, status: 'taken', refused: [] });
    expect(core.heads()).toEqual([{ bucket: bucketOf('a'), sequence: 1 }]);
    expect(books(core)).toMatchObject({ received: 2, forwarded: 1, duplicates: 1 });
  });

  it.each([
    ['not JSON', { data: Buffer.from('{a:1}') }, 'bad-json'],
    ['not UTF-8', { data: Uint8Array.of(0x22, 0xff, 0x22) }, 'bad-json'],
    ['empty', { data: new Uint8Array() }, 'bad-json'],
    ['a byte order mark', { data: Uint8Array.of(0xef, 0xbb, 0xbf, 0x31) }, 'bad-json'],
    ['back where it came from', { source: { publisher: 'p', origin: 'main', hop: 1 } }, 'too-many-hops'],
    ['two bridges away', { source: { publisher: 'p', origin: 'other', hop: 2 } }, 'too-many-hops'],
  ] as const)('refuses a message that is %s and takes the rest of the batch', (_, more, reason) => {
    const core = coreWith();
    const messages = [publication('a', 0), publication('a', 1, more), publication('a', 2)];
    expect(core.accept({ batch: 1, messages }, 0).refused).toEqual([{ index: 1, reason }]);
    const { received, forwarded, refused } = books(core);
    expect([received, forwarded, refused[reason]]).toEqual([3, 2, 1]);
  });

  it('refuses a message so old that nobody can tell whether it was seen, and says so', () => {
    const core = coreWith();
    core.accept({ batch: 1, messages: [publication('a', WINDOW_SEQUENCES)] }, 0);
    const { refused } = core.accept({ batch: 2, messages: [publication('a', 0), publication('a', 1)] }, 0);
    expect(refused).toEqual([{ index: 0, reason: 'too-old' }]);
  });

  it('keeps its books balanced, whatever happens to a message', () => {
    const core = coreWith();
    core.accept({ batch: 1, messages: [publication('a', 0), publication('a', 0)] }, 0);
    core.accept({ batch: 2, messages: [publication('a', 1, { data: Buffer.from('x') })] }, 0);
    core.turnAway({ batch: 3, messages: [publication('a', 2)] });
    core.acceptCanary('$canary.1', Buffer.from('1'), 0, 0, 0);
    const { received, forwarded, duplicates, refused, drained, canaries } = books(core);
    expect(received).toBe(forwarded + duplicates + drained + refused['bad-json']);
    expect([received, canaries]).toEqual([4, 1]);
  });

  it.each([
    ['messages in a bucket', { ringMessagesPerBucket: 10 }, 10],
    ['bytes in a bucket', { ringBytesPerBucket: 10 * MESSAGE_BYTES }, 10],
    ['bytes in all', { ringBytes: 64 * MESSAGE_BYTES }, 64],
  ])('bounds the ring by %s', (_, limits, most) => {
    const core = coreWith(limits);
    for (let i = 0; i < 500; i++) core.accept({ batch: i, messages: [publication('a', i)] }, 0);
    const { ringMessages, ringBytes } = core.snapshot();
    expect(ringMessages).toBeLessThanOrEqual(most);
    expect(ringMessages).toBeGreaterThan(most / 2 - 1);
    expect(ringBytes).toBe(ringMessages * MESSAGE_BYTES);
  });

  it('takes from the fullest buckets, and from none all it has, when all together hold too much', () => {
    const core = coreWith({ ringBytes: 64 * MESSAGE_BYTES });
    const [few, some, many] = ['a', 'b', 'c'];
    const fill = (topic: string, from: number, count: number): void => {
      for (let n = from; n < from + count; n++) {
        core.accept({ batch: n, messages: [publication(topic, n)] }, 0);
      }
    };
    const held = (topic: string): number => {
      const bucket = bucketOf(topic);
      const range = { kind: 'range', of: '', bucket, fromSequence: 1, toSequence: 1_000 } as const;
      const reply = core.answer({ request: 1, ...range }, emptyBucketSet(), 0);
      return reply.kind === 'range' ? reply.headSequence - reply.firstHeldSequence + 1 : 0;
    };
    fill(few, 0, 4);
    fill(some, 100, 30);
    fill(many, 200, 100);
    expect([held(few), held(some) > 10, held(many) > 10]).toEqual([4, true, true]);
    expect(core.snapshot().ringMessages).toBeLessThanOrEqual(64);
  });

  it('keeps as many messages of a bucket as it may', () => {
    const core = coreWith({ ringMessagesPerBucket: 2, ringAgeMs: 1_000 });
    for (const n of [0, 1, 2]) core.accept({ batch: n, messages: [publication('a', n)] }, n);
    expect(core.snapshot()).toMatchObject({ ringMessages: 2, trimmed: 1 });
    core.trim(1_001);
    expect(core.snapshot().ringMessages).toBe(2);
  });

  it('forgets what it kept of an epoch that was not heard of for long', () => {
    const core = coreWith({ ringAgeMs: 1_000 });
    core.keep('other', 0, 1, [{ ...publication('a', 0), offset: 1 }], 0);
    const interest = emptyBucketSet();
    const ask = () => core.answer({ request: 1, kind: 'heads', of: 'other', interest }, interest, 0).kind;
    core.trim(1_000);
    expect(ask()).toBe('heads');
    core.trim(1_001);
    expect(ask()).toBe('not-held');
  });

  it('takes what crossed one bridge, passes on how many each crossed, and refuses what crossed two', () => {
    const core = coreWith();
    const crossed = (sequence: number, hop: number): Publication =>
      publication('a', sequence, { source: { publisher: 'far', origin: 'east', hop } });
    const messages = [crossed(0, 1), crossed(1, 0), crossed(2, 2)];
    expect(core.accept({ batch: 1, messages }, 0).refused).toEqual([{ index: 2, reason: 'too-many-hops' }]);
    const [section] = core.takeSections();
    const read = decoding(() => readSection(new ByteReader(section!.bytes), createFrameNames()));
    expect(read.ok && read.value.messages.map(({ source }) => source.hop)).toEqual([1, 0]);
  });

  it('lets messages go by age', () => {
    const core = coreWith({ ringAgeMs: 1_000 });
    core.accept({ batch: 1, messages: [publication('a', 0)] }, 0);
    core.accept({ batch: 2, messages: [publication('b', 1)] }, 900);
    core.trim(1_500);
    expect(core.snapshot()).toMatchObject({ ringMessages: 1, trimmed: 1 });
  });

  it('splits a bucket that is too much for one section', () => {
    const core = coreWith();
    const data = Buffer.from(JSON.stringify('x'.repeat(60_000)));
    const messages = [0, 1, 2, 3].map((i) => publication('a', i, { data }));
    core.accept({ batch: 1, messages }, 0);
    const sections = core.takeSections();
    expect(sections.map((section) => section.messages)).toEqual([2, 2]);
    for (let n = 0; n < 1_030; n++) core.accept({ batch: n, messages: [publication('a', 10 + n)] }, 0);
    expect(core.takeSections().map((section) => section.messages)).toEqual([1_024, 6]);
  });

  it('keeps every answer about topics within a frame that can be read, whatever is asked', () => {
    const core = coreWith();
    const large = Buffer.from(JSON.stringify('x'.repeat(60_000)));
    for (let n = 0; n < 1_100; n++) core.accept({ batch: n, messages: [publication('many', n)] }, 0);
    for (let n = 0; n < 36; n++) {
      const message = publication(n % 2 === 0 ? 'one' : 'other', 2_000 + n, { data: large });
      core.accept({ batch: 2_000 + n, messages: [message] }, 0);
    }
    const ask = (want: 'since' | 'held', ...topics: string[]) => {
      const queries = topics.map((topic) => ({ topic, want, epoch: 'e1', afterOffset: 0 }));
      const limits = { maxMessages: 1_000_000, maxBytes: 1_000_000_000 };
      const interest = emptyBucketSet();
      const reply = core.answer({ request: 1, kind: 'topics', of: '', ...limits, queries }, interest, 0);
      const frame = encodeRepairReply(new ByteWriter(), reply);
      expect(frame.length).toBeLessThanOrEqual(PUBLICATION_LIMITS.maxFrameBytes);
      expect(decodeRepairReply(frame, createFrameNames())).toMatchObject({ ok: true });
      return reply.kind === 'topics' ? reply.answers.map(({ status }) => status) : [];
    };
    expect(ask('since', 'many')).toEqual(['over-limit']);
    expect(ask('held', 'many')).toEqual(['complete']);
    expect(ask('held', 'one', 'other')).toEqual(['complete', 'complete']);
  });

  it('counts the names of topics and publishers towards that frame', () => {
    const core = coreWith();
    const topic = 't'.repeat(255);
    const data = Buffer.from(JSON.stringify('x'.repeat(600)));
    for (let n = 0; n < 1_000; n++) {
      const source = { ...direct, publisher: `${'p'.repeat(120)}${n}`, origin: 'o'.repeat(64) };
      core.accept({ batch: n, messages: [publication(topic, n, { data, source })] }, 0);
    }
    const query = { topic, want: 'since', epoch: 'e1' } as const;
    const ask = (...afterOffsets: number[]) => {
      const queries = afterOffsets.map((afterOffset) => ({ ...query, afterOffset }));
      const limits = { maxMessages: 1_000, maxBytes: 1_048_576 };
      const reply = core.answer(
        { request: 1, kind: 'topics', of: '', ...limits, queries },
        emptyBucketSet(),
        0,
      );
      expect(encodeRepairReply(new ByteWriter(), reply).length).toBeLessThanOrEqual(
        PUBLICATION_LIMITS.maxFrameBytes,
      );
      return reply.kind === 'topics' ? reply.answers.map(({ status }) => status) : [];
    };
    expect(ask(0)).toEqual(['over-limit']);
    expect(ask(60)).toEqual(['complete']);
    expect(ask(500, 500)).toEqual(['complete', 'over-limit']);
  });
});
