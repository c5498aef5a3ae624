import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BrokerCore, DEFAULT_BROKER_LIMITS } from '../../../src/broker/core/broker-core.ts';
import type { JournalRecord } from '../../../src/broker/core/journal-records.ts';
import { encodeStand, readJournal, recordHeader } from '../../../src/broker/core/journal-records.ts';
import { bucketOf, emptyBucketSet } from '../../../src/protocol/bucket.ts';
import { ByteWriter } from '../../../src/protocol/bytes.ts';
import { encodeEnvelope } from '../../../src/protocol/publication-envelope.ts';
import type { RepairReply } from '../../../src/protocol/publication-repair.ts';
import { messages } from './given.ts';

const BUCKET = bucketOf('t');
const newCore = (epoch: string): BrokerCore => new BrokerCore(epoch, 'main', 0, DEFAULT_BROKER_LIMITS);

/** What the next life would find of a broker that began a file at `standsAt` and sent `last` messages in all. */
function journalOf(standsAt: number, last: number): Uint8Array {
  const core = newCore('one');
  const records: Uint8Array[] = [];
  const write = (kind: 'envelope' | 'stand', bytes: Uint8Array): void =>
    void records.push(recordHeader(kind, bytes, crc32), bytes);
  for (const message of messages(1, last)) {
    core.accept({ batch: 1, messages: [message] }, 0);
    const sections = core.takeSections().map(({ bytes }) => bytes);
    if (message.offset > standsAt) {
      write('envelope', encodeEnvelope(new ByteWriter(), 'wide', 0, 'one', sections));
    } else if (message.offset === standsAt) write('stand', encodeStand('one', core.stand(BUCKET)));
  }
  return Buffer.concat(records);
}

function recalled(bytes: Uint8Array): (ask: 'head' | 'range') => RepairReply {
  const core = newCore('two');
  readJournal(bytes, crc32, (record) => {
    if (record.kind === 'stand') core.keepStand(record.epoch, record.stand, 0);
    else
      for (const one of record.sections)
        core.keep(record.epoch, one.bucket, one.firstSequence, one.messages, 0);
  });
  const query = { topic: 't', want: 'head', epoch: '', afterOffset: 0 } as const;
  return (ask) =>
    core.answer(
      ask === 'head'
        ? { request: 1, kind: 'topics', of: 'one', maxMessages: 0, maxBytes: 0, queries: [query] }
        : { request: 1, kind: 'range', of: 'one', bucket: BUCKET, fromSequence: 1, toSequence: 99 },
      emptyBucketSet(),
      0,
    );
}

describe('the journal of a broker', () => {
  it('gives its next life the messages, and where topics stood whose messages it has not', () => {
    const ask = recalled(journalOf(3, 5));
    expect(ask('head')).toMatchObject({ epoch: 'one', answers: [{ topic: 't', headOffset: 5 }] });
    const range = ask('range');
    expect(range).toMatchObject({ firstHeldSequence: 4, headSequence: 5 });
    expect(range.kind === 'range' && range.section.messages.map(({ offset }) => offset)).toEqual([4, 5]);
    expect(recalled(journalOf(5, 5))('head')).toMatchObject({ answers: [{ headOffset: 5 }] });
  });

  it('is read up to where it makes sense, whatever was left behind that', () => {
    const whole = journalOf(1, 3);
    const count = (bytes: Uint8Array): number => {
      const records: JournalRecord[] = [];
      readJournal(bytes, crc32, (record) => records.push(record));
      return records.length;
    };
    expect(count(whole)).toBe(3);
    for (let length = 0; length < whole.length; length++)
      expect(count(whole.subarray(0, length))).toBeLessThan(3);
    expect(count(Buffer.concat([whole, new Uint8Array(64)]))).toBe(3);
    expect(count(Buffer.concat([whole, Buffer.alloc(64, 255)]))).toBe(3);
    for (let at = 0; at < whole.length; at++) {
      expect(count(whole.map((byte, i) => (i === at ? byte ^ 1 : byte)))).toBeLessThan(3);
    }
  });
});
