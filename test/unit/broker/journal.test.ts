import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BrokerCore, DEFAULT_BROKER_LIMITS } from '../../../src/broker/core/broker-core.ts';
import type { Journal } from '../../../src/broker/journal.ts';
import { openJournal } from '../../../src/broker/journal.ts';
import { silentLog } from '../../../src/daemon/log.ts';
import { emptyBucketSet } from '../../../src/protocol/bucket.ts';
import { ByteWriter } from '../../../src/protocol/bytes.ts';
import { encodeEnvelope } from '../../../src/protocol/publication-envelope.ts';
import type { RepairReply } from '../../../src/protocol/publication-repair.ts';
import { aMessage } from './given.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'herald-journal-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

it('leaves nothing that ends too early where the disk has failed for a while', async () => {
  let nowMs = 0;
  const core = new BrokerCore('e1', 'main', 0, DEFAULT_BROKER_LIMITS);
  const open = (owner: BrokerCore): Journal =>
    openJournal({ directory, id: 'b1', core: owner, keepMs: 120_000, nowMs: () => nowMs, log: silentLog });
  const heldByNextLife = (): RepairReply['kind'] => {
    const next = new BrokerCore('e2', 'main', 0, DEFAULT_BROKER_LIMITS);
    open(next);
    const interest = emptyBucketSet();
    return next.answer({ request: 1, kind: 'heads', of: 'e1', interest }, interest, nowMs).kind;
  };
  const journal = open(core);
  let acked = 0;
  const write = (): void => {
    core.accept({ batch: 1, messages: [aMessage(++acked)] }, nowMs);
    const sections = core.takeSections().map(({ bytes }) => bytes);
    journal.append(encodeEnvelope(new ByteWriter(), 'wide', 0, 'e1', sections));
    journal.flushed(() => {});
  };
  write();
  await expect.poll(heldByNextLife).toBe('heads');
  for (let second = 0; second < 3; second++) {
    write();
    nowMs += 1_500;
    journal.tick();
    journal.tick();
  }
  await expect.poll(heldByNextLife).toBe('not-held');
  await journal.close();
});

it('leaves few files on a disk that is too slow for hours, and lets every ack go', async () => {
  let nowMs = 0;
  const journal = openJournal({
    directory,
    id: 'b1',
    core: new BrokerCore('e1', 'main', 0, DEFAULT_BROKER_LIMITS),
    keepMs: 120_000,
    nowMs: () => nowMs,
    log: silentLog,
  });
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
