import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BrokerCore, DEFAULT_BROKER_LIMITS } from '../../../src/broker/core/broker-core.ts';
import { openJournal } from '../../../src/broker/journal.ts';
import { silentLog } from '../../../src/daemon/log.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'herald-journal-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

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
