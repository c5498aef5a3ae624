import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Outcome } from '../../../src/cluster/coordination.ts';
import type { Session } from '../../../src/cluster/session.ts';
import { standWatch } from '../../../src/cluster/standing-watch.ts';
import { silentLog } from '../../../src/daemon/log.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A watch whose reads all end like this. */
function watching(outcome: Outcome<string>) {
  const seen = { reads: 0, warnings: 0, delivered: [] as unknown[], outcome };
  const session = { state: () => 'up', onState: () => () => {} } as unknown as Session;
  const read = (): Promise<Outcome<string>> => {
    seen.reads += 1;
    return Promise.resolve(seen.outcome);
  };
  const log = { ...silentLog, warn: () => void (seen.warnings += 1) };
  const stop = standWatch(session, log, { path: '/a', read, deliver: (value) => seen.delivered.push(value) });
  return { seen, stop };
}

describe('a watch', () => {
  it('that is refused says so once and asks again every 5 to 10 s, until it is not', async () => {
    const { seen, stop } = watching({ ok: false, why: 'no-auth' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(seen.reads).toBeGreaterThanOrEqual(6);
    expect(seen.reads).toBeLessThanOrEqual(13);
    expect(seen.warnings).toBe(1);
    seen.outcome = { ok: true, value: 'now' };
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seen.delivered).toEqual(['now']);
    stop();
  });

  it('that only failed asks again within half a second, and says nothing', async () => {
    const { seen, stop } = watching({ ok: false, why: 'lost' });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seen.reads).toBeGreaterThanOrEqual(20);
    expect(seen.warnings).toBe(0);
    stop();
  });
});
