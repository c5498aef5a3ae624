import {
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BrokerCore, DEFAULT_BROKER_LIMITS } from '../../../src/broker/core/broker-core.ts';
import type { Journal } from '../../../src/broker/journal/journal.ts';
import { openJournal } from '../../../src/broker/journal/journal.ts';
import { lockJournal } from '../../../src/broker/journal/journal-lock.ts';
import { silentLog } from '../../../src/daemon/log.ts';
import { emptyBucketSet } from '../../../src/protocol/bucket.ts';
import { ByteWriter } from '../../../src/protocol/bytes.ts';
import { encodeEnvelope } from '../../../src/protocol/publication-envelope.ts';
import { aMessage } from './given.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'herald-journal-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const open = (owner: BrokerCore, nowMs = (): number => 0, id = 'b1', place = directory): Promise<Journal> =>
  openJournal({ directory: place, id, core: owner, keepMs: 120_000, nowMs, log: silentLog });

/** What a next life would say of this one's epoch, by what is on the disk now. */
async function nextLife(): Promise<'not held' | 'held' | 'held to its end'> {
  const copy = mkdtempSync(join(tmpdir(), 'herald-journal-'));
  const files = readdirSync(directory).filter((name) => name.endsWith('.journal'));
  for (const name of files) cpSync(join(directory, name), join(copy, name), { recursive: true });
  const core = new BrokerCore('e2', 'main', 0, DEFAULT_BROKER_LIMITS);
  await (await open(core, () => 0, 'b1', copy)).close();
  rmSync(copy, { recursive: true });
  const interest = emptyBucketSet();
  const reply = core.answer({ request: 1, kind: 'heads', of: 'e1', interest }, interest, 0);
  if (reply.kind !== 'heads') return 'not held';
  return reply.upMs > 0 ? 'held to its end' : 'held';
}

it('leaves nothing that ends too early where the disk has failed', async () => {
  let nowMs = 0;
  const core = new BrokerCore('e1', 'main', 0, DEFAULT_BROKER_LIMITS);
  const journal = await open(core, () => nowMs);
  let accepted = 0;
  const append = (): void => {
    core.accept({ batch: 1, messages: [aMessage(++accepted)] }, nowMs);
    const sections = core.takeSections().map(({ bytes }) => bytes);
    journal.append(encodeEnvelope(new ByteWriter(), 'wide', 0, 'e1', sections));
  };
  append();
  journal.flushed(() => {});
  await expect.poll(nextLife).toBe('held to its end');
  append();
  journal.flushed(() => {});
  // No turn of the event loop in between, so nothing was written within the second it has.
  nowMs += 1_500;
  expect(journal.trouble()).toBeUndefined();
  journal.tick();
  expect(journal.trouble()).toBe(`the journal in ${directory} cannot be written`);
  await expect.poll(nextLife).toBe('not held');
  journal.tick();
  append();
  // Where the other buckets stood when the new file was begun is not in it yet.
  await expect.poll(nextLife).toBe('held');
  journal.flushed(() => {});
  await expect.poll(nextLife).toBe('held to its end');
  journal.tick();
  expect(journal.trouble()).toBeUndefined();
  await journal.close();
});

it('is kept by one living broker of a name at a time', async () => {
  const core = new BrokerCore('e1', 'main', 0, DEFAULT_BROKER_LIMITS);
  const first = await open(core);
  await expect(open(core)).rejects.toThrow(`--journal ${directory}: another broker b1 is writing there`);
  await (await open(core, () => 0, 'b2')).close();
  await first.close();
  await (await open(core)).close();
});

it('is taken by one of several that find it left over', async () => {
  const server = createServer();
  const path = join(directory, 'alive');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const leftOver = ['b1.lock', 'b1.0123abcd.lock'];
  for (const name of leftOver) linkSync(path, join(directory, name));
  await new Promise((resolve) => server.close(resolve));
  for (let round = 0; round < 20; round++) {
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => lockJournal(directory, 'b1')));
    const taken = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(taken).toHaveLength(1);
    const there = readdirSync(directory);
    expect(there).toHaveLength(1);
    expect(leftOver).not.toContain(there[0]);
    taken[0]!();
  }
});

/** A life that has left where every bucket stood, and a message before and after that. */
async function aLife(): Promise<void> {
  const core = new BrokerCore('e1', 'main', 0, DEFAULT_BROKER_LIMITS);
  const journal = await open(core);
  for (const sequence of [1, 2]) {
    core.accept({ batch: sequence, messages: [aMessage(sequence)] }, 0);
    const sections = core.takeSections().map(({ bytes }) => bytes);
    journal.append(encodeEnvelope(new ByteWriter(), 'wide', 0, 'e1', sections));
    await new Promise<void>((resolve) => journal.flushed(resolve));
  }
  await journal.close();
  expect(await nextLife()).toBe('held to its end');
}

it('is read without a file that cannot be read, and the life before is not taken for whole', async () => {
  await aLife();
  const unreadable = join(directory, 'b1.2.journal');
  mkdirSync(unreadable);
  expect(await nextLife()).toBe('held');
  let nowMs = 0;
  const journal = await open(new BrokerCore('e2', 'main', 0, DEFAULT_BROKER_LIMITS), () => nowMs);
  expect(journal.trouble()).toBe(`of a life before, ${unreadable} cannot be read`);
  nowMs = 120_001;
  journal.tick();
  expect(journal.trouble()).toBeUndefined();
  await journal.close();
});

it('is read up to what is damaged, and not taken for whole', async () => {
  await aLife();
  const file = join(directory, 'b1.1.journal');
  const bytes = readFileSync(file);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(file, bytes);
  expect(await nextLife()).toBe('held');
});

it('leaves few files on a disk that is too slow for hours, and lets every ack go', async () => {
  let nowMs = 0;
  const journal = await open(new BrokerCore('e1', 'main', 0, DEFAULT_BROKER_LIMITS), () => nowMs);
  let acked = 0;
  for (let second = 0; second < 200; second++) {
    journal.append(new Uint8Array(100));
    journal.flushed(() => (acked += 1));
    // No turn of the event loop between them, so nothing is written within the second it has.
    nowMs += 1_500;
    journal.tick();
    journal.tick();
    await new Promise(setImmediate);
  }
  await journal.close();
  expect(acked).toBe(200);
  await expect.poll(() => readdirSync(directory).length).toBeLessThan(20);
});
