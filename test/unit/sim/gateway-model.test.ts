import { expect, it } from 'vitest';
import { seededRandom } from '../../../src/sim/chance.ts';
import { GatewayModel, SAMPLE_MS } from '../../../src/sim/gateway-model.ts';

/** When a simulated gateway reports whose load jumps to 0.6 after three seconds, and what kind each report is. */
function reports(early: { earlyReports: boolean; earlyFull: boolean }): [number, string][] {
  const habits = { handshakeSeconds: 0.002, reportMs: 60_000, ...early };
  const gateway = new GatewayModel(0, 1, habits, seededRandom(1));
  const found: [number, string][] = [];
  for (let nowMs = 0; nowMs <= 3_500; nowMs += SAMPLE_MS) {
    if (nowMs === 1_000) for (let i = 0; i < 50; i++) gateway.accept('h1', nowMs);
    if (nowMs === 3_000) gateway.bend(0.6, 0, nowMs);
    gateway.sample(nowMs);
    const report = gateway.reportDue(nowMs);
    if (report) found.push([nowMs, report.kind]);
  }
  return found;
}

it('a simulated gateway reports at the pace of a real one, early reports in full left out where they are not wanted', () => {
  const first = [0, 'full'];
  const ofRush = [1_000, 'counters'];
  expect(reports({ earlyReports: true, earlyFull: true })).toEqual([first, ofRush, [3_300, 'full']]);
  expect(reports({ earlyReports: true, earlyFull: false })).toEqual([first, ofRush]);
  expect(reports({ earlyReports: false, earlyFull: false })).toEqual([first]);
});
