// (7) What a broker keeps on disk for its next life: gateways that were cut off when it was killed get from there what
// they missed, or at least its exact count, also where no other broker kept a copy. Messages do not wait for the disk,
// their acks do: what was acked survives the process.

import type { WriteStream } from 'node:fs';
import { createWriteStream, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { atMost } from '../../daemon/clock.ts';
import { StartError } from '../../daemon/lifecycle.ts';
import type { Log } from '../../daemon/log.ts';
import { errorFields } from '../../daemon/log.ts';
import { messageOf } from '../../daemon/thrown.ts';
import { BUCKET_COUNT } from '../../protocol/bucket.ts';
import type { BrokerCore } from '../core/broker-core.ts';
import type { JournalRecord } from '../core/journal-records.ts';
import { encodeStand, readJournal, recordHeader } from '../core/journal-records.ts';
import { lockJournal } from './journal-lock.ts';

/** Of one file; the one before it stays. Read again in a tenth of a second. */
const FILE_BYTES = 16 * 1024 * 1024;
/** A disk that is so far behind is taken for broken: the file ends there, and acks go on without it. */
const MAX_QUEUED_BYTES = 16 * 1024 * 1024;
const MAX_WAIT_MS = 1_000;
/** A new file names where every topic stands; so many of them a flush, or a million would hold up the others. */
const TOPICS_PER_FLUSH = 50_000;
/** Of lives before: a broker that dies again and again leaves little each time. */
const MAX_FILES = 8;
const CLOSE_AT_MOST_MS = 500;

export interface Journal {
  /** An envelope on the wide lane, as it is sent. */
  append(envelope: Uint8Array): void;
  /** All that was taken so far has been appended. `kept` is called, in order, once the file has it or cannot. */
  flushed(kept: () => void): void;
  /** Once a second. */
  tick(): void;
  /** What is wrong, while it is. */
  trouble(): string | undefined;
  close(): Promise<void>;
}

export interface JournalOptions {
  directory: string;
  /** Of the broker: several may share the directory. */
  id: string;
  core: BrokerCore;
  /** How long anybody asks for a life before. */
  keepMs: number;
  nowMs: () => number;
  log: Log;
}

/**
 * Reads what the lives before left into the core, and begins a file. Throws a StartError for a directory that cannot be, or
 * that a living broker of that id writes to.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { directory, id, core, keepMs, nowMs, log } = options;
  const pathOf = (number: number): string => join(directory, `${id}.${number}.journal`);
  const remove = (numbers: readonly number[]): void => {
    for (const number of numbers) void rm(pathOf(number), { force: true }).catch(() => {});
  };
  const startedMs = nowMs();
  const unread: string[] = [];
  let before: number[];
  let unlock = (): void => {};
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    unlock = await lockJournal(directory, id).catch((error: unknown) => {
      if (error instanceof StartError) throw error;
      log.warn('journal-not-locked', { directory, ...errorFields(error) });
      return unlock;
    });
    before = numbersOf(readdirSync(directory), id);
    remove(takeAllBut(before, MAX_FILES));
    recall(before.map(pathOf), core, startedMs, (file, why) => {
      unread.push(file);
      log.error('journal-unreadable', { file, ...errorFields(why) });
    });
  } catch (error) {
    unlock();
    if (error instanceof StartError) throw error;
    throw new StartError(`--journal ${directory}: ${messageOf(error)}`);
  }

  let last = before.at(-1) ?? 0;
  /** Of this life: the one that is written, and what is kept before it. */
  const own: number[] = [];
  let file: WriteStream | undefined;
  let bytes = 0;
  let nextStand = 0;
  let isFailing = false;
  const waiting: { sinceMs: number; left: number; kept: () => void }[] = [];
  /** Records that are appended and not written yet, since the last failure. */
  let unwritten = 0;
  let failures = 0;

  const fail = (fields: object): void => {
    file?.destroy();
    file = undefined;
    unwritten = 0;
    failures += 1;
    for (const { kept } of waiting.splice(0)) kept();
    // Of what is acked from here on the next life would know nothing, and what it has of before must not look whole.
    remove(own.splice(0));
    if (!isFailing) log.warn('journal-failed', { directory, ...fields });
    isFailing = true;
  };
  const begin = (): void => {
    file?.end();
    own.push(++last);
    [bytes, nextStand] = [0, 0];
    const made = createWriteStream(pathOf(last), { mode: 0o600 });
    made.on('error', (error) => {
      if (file === made) fail(errorFields(error));
    });
    file = made;
  };
  const written = (): void => {
    unwritten -= 1;
    for (const one of waiting) one.left -= 1;
    while (waiting[0] && waiting[0].left <= 0) waiting.shift()!.kept();
  };
  const write = (kind: 'envelope' | 'stand', record: Uint8Array): void => {
    // Not before the broker has its ports: one that is tried again and again would leave a file each time.
    if (!file && !isFailing) begin();
    if (!file) return;
    file.cork();
    file.write(recordHeader(kind, record, crc32));
    const failed = failures;
    unwritten += 1;
    file.write(record, (error) => {
      if (!error && failures === failed) written();
    });
    file.uncork();
    bytes += record.length;
    if (file.writableLength > MAX_QUEUED_BYTES) fail({ queuedBytes: file.writableLength });
  };

  return {
    append: (envelope) => write('envelope', envelope),
    flushed(kept) {
      if (unwritten === 0) kept();
      else waiting.push({ sinceMs: nowMs(), left: unwritten, kept });
      for (let topics = 0; nextStand < BUCKET_COUNT && topics < TOPICS_PER_FLUSH; nextStand++) {
        const stand = core.stand(nextStand);
        topics += stand.topics.length;
        write('stand', encodeStand(core.epoch, stand));
      }
      if (nextStand < BUCKET_COUNT || bytes < FILE_BYTES) return;
      // What the file before says of topics is in this one as well.
      remove(takeAllBut(own, 1));
      begin();
    },
    tick() {
      if (nowMs() - startedMs > keepMs) {
        remove(before.splice(0));
        unread.length = 0;
      }
      const waitedMs = nowMs() - (waiting[0]?.sinceMs ?? Infinity);
      if (waitedMs > MAX_WAIT_MS) fail({ waitedMs });
      else if (!file && isFailing) begin();
      else if (isFailing && nextStand === BUCKET_COUNT) {
        log.info('journal-written-again', { directory });
        isFailing = false;
      }
    },
    trouble() {
      if (isFailing) return `the journal in ${directory} cannot be written`;
      return unread.length > 0 ? `of a life before, ${unread.join(', ')} cannot be read` : undefined;
    },
    async close() {
      await atMost(CLOSE_AT_MOST_MS, new Promise((resolve) => (file ? file.end(resolve) : resolve())));
      unlock();
    },
  };
}

/** All but the last `count`, which alone are left in `numbers`. */
function takeAllBut(numbers: number[], count: number): number[] {
  return numbers.splice(0, Math.max(0, numbers.length - count));
}

/** The numbers of a broker's files, the oldest first. */
function numbersOf(names: readonly string[], id: string): number[] {
  return names
    .filter((name) => name.startsWith(`${id}.`) && /^\d+\.journal$/.test(name.slice(id.length + 1)))
    .map((name) => Number.parseInt(name.slice(id.length + 1), 10))
    .sort((a, b) => a - b);
}

/**
 * Lives before become ones that this broker has copies of. One may have gone on beyond what is there where no file names
 * how far every bucket had come, and where the file after its last one, or the rest of that, cannot be read: a broker
 * that stays away for it would cost more than what is in it.
 */
function recall(
  paths: readonly string[],
  core: BrokerCore,
  nowMs: number,
  cannotRead: (path: string, why: unknown) => void,
): void {
  const isWhole = new Map<string, boolean>();
  let latest = '';
  const take = (record: JournalRecord): void => {
    latest = record.epoch;
    if (!isWhole.has(latest)) isWhole.set(latest, false);
    if (record.kind === 'stand') {
      core.keepStand(latest, record.stand, nowMs);
      if (record.stand.bucket === BUCKET_COUNT - 1) isWhole.set(latest, true);
      return;
    }
    for (const { bucket, firstSequence, messages } of record.sections) {
      core.keep(latest, bucket, firstSequence, messages, nowMs);
    }
  };
  for (const path of paths) {
    const trouble = readInto(take, path);
    if (trouble === undefined) continue;
    cannotRead(path, trouble);
    isWhole.set(latest, false);
  }
  for (const [epoch, whole] of isWhole) if (!whole) core.noteCut(epoch);
}

/** Answers why not all of a file could be read. */
function readInto(take: (record: JournalRecord) => void, path: string): unknown {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    return error;
  }
  return readJournal(bytes, crc32, take) ? undefined : 'a record in it is damaged';
}
