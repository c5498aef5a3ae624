import { describe, expect, it } from 'vitest';
import { decodeRecordedLine, replay } from '../../../src/sim/index.ts';
import type { RecordedEvent } from '../../../src/sim/index.ts';
import { aLookup, aReport } from '../herald-core/given.ts';

/** Ten gateways that report every 500 ms, one a little less loaded; 100 lookups a second for 20 s, all connect. */
function recording(): RecordedEvent[] {
  const events: RecordedEvent[] = [];
  for (let atMs = 0; atMs < 20_000; atMs += 10) {
    if (atMs % 500 === 0) {
      for (let i = 0; i < 10; i++) {
        const cpu = i === 0 ? 0.38 : 0.4;
        const acceptedTotal = 500 + atMs / 100;
        events.push({ atMs, report: aReport(`gw-${i}`, { seq: atMs / 500, cpu, acceptedTotal }) });
      }
    }
    events.push({ atMs, lookup: aLookup() });
  }
  return events;
}

describe('a replay', () => {
  it('shows the herd of least load and that expected load has none', () => {
    const least = replay(recording(), { policy: 'least', seed: 1 });
    const expected = replay(recording(), { policy: 'expected', seed: 1 });
    expect(least).toMatchObject({ lookups: 2_000, maxMean: 10, longestRun: 2_000 });
    expect(expected.maxMean).toBeLessThan(3);
    expect(expected.longestRun).toBeLessThan(20);
  });

  it('goes on where a Herald was started again, whose times begin anew', () => {
    const before = recording();
    const after = before
      .filter(({ report }) => report?.gateway !== 'gw-9')
      .map((event) =>
        event.report ? { ...event, report: { ...event.report, seq: 1_000 + event.report.seq } } : event,
      );
    const { named } = replay([...before, ...after], { policy: 'random', seed: 1 });
    // Two seconds into the second half it is known to be gone.
    expect(named['gw-9']).toBeLessThan(300);
  });

  it('counts what was refused and why', () => {
    const events: RecordedEvent[] = [{ atMs: 0, lookup: aLookup() }];
    expect(replay(events, { policy: 'expected', seed: 1 }).refused).toEqual({ 'no-gateways': 1 });
  });

  it('reads the lines that `--record` writes', () => {
    const report = decodeRecordedLine(JSON.stringify({ t: 12.5, report: aReport('a') }));
    expect(report).toMatchObject({ ok: true, value: { atMs: 12.5, report: { gateway: 'a' } } });
    const lookup = decodeRecordedLine(
      JSON.stringify({ t: 13, lookup: aLookup({ key: 'k', exclude: ['b'] }) }),
    );
    expect(lookup).toMatchObject({ ok: true, value: { lookup: { key: 'k', exclude: ['b'] } } });
  });

  it.each([
    '',
    '{',
    '[]',
    '{"t":-1,"lookup":{}}',
    '{"t":1}',
    '{"t":1e15,"lookup":{}}',
    '{"t":1,"report":{"v":2}}',
    '{"t":1,"lookup":{"pool":"/"}}',
  ])('refuses the line %j with a reason', (line) => {
    expect(decodeRecordedLine(line)).toMatchObject({ ok: false, refusal: { expected: expect.any(String) } });
  });
});
