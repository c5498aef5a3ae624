import { expect, it } from 'vitest';
import { CutOff } from '../../../src/subscriber/core/cut-off.ts';

/** Heard until `heardMs`, looked at each 100 ms but in `asleep`, broken from `brokenMs` on, announced and answered when told. */
function cutOff({
  heardMs = 0,
  brokenMs = 0,
  asleep = [0, 0],
  untilMs = 0,
  announcedMs = 0,
  answeredMs = Infinity,
}): CutOff {
  const one = new CutOff();
  for (let nowMs = 0; nowMs <= Math.max(brokenMs, untilMs, announcedMs); nowMs += 100) {
    if (nowMs > asleep[0]! && nowMs < asleep[1]!) continue;
    one.tick(nowMs);
    if (nowMs <= heardMs) one.heard(nowMs);
    if (nowMs === answeredMs) one.answered(nowMs);
    if (nowMs >= brokenMs) one.broke(nowMs);
    if (nowMs >= announcedMs) one.announced(announcedMs);
  }
  return one;
}

it.each([
  ['its connection closes between two heartbeats', { heardMs: 9_000, brokenMs: 10_000 }, false],
  ['it was silent before its connection broke', { heardMs: 9_000, brokenMs: 10_500 }, true],
  [
    'the listener slept, and read it all at once',
    { heardMs: 9_000, asleep: [4_000, 8_900], brokenMs: 9_100 },
    true,
  ],
  [
    'the listener slept, and had an answer after that',
    { heardMs: 9_000, asleep: [4_000, 8_900], answeredMs: 9_000, brokenMs: 9_100 },
    false,
  ],
  ['the listener slept long before', { heardMs: 9_900, asleep: [1_000, 4_000], brokenMs: 10_000 }, false],
  ['it announced itself to others after that', { heardMs: 900, brokenMs: 1_000, announcedMs: 2_000 }, true],
  ['its last word to others came late', { heardMs: 900, brokenMs: 1_000, announcedMs: 1_700 }, false],
  ['it is away for a while after it closed', { heardMs: 900, brokenMs: 1_000, untilMs: 20_000 }, false],
] as const)('where %s', (_what, when, expected) => {
  const one = cutOff({ ...when, asleep: [...('asleep' in when ? when.asleep : [0, 0])] });
  expect(one.isCut).toBe(expected);
  one.heard(30_000);
  expect(one.isCut).toBe(false);
});

it('judges each break of a connection by what was heard since the one before', () => {
  const one = new CutOff();
  for (let nowMs = 0; nowMs <= 5_000; nowMs += 100) {
    one.tick(nowMs);
    if (nowMs <= 1_000 || (nowMs >= 1_500 && nowMs <= 3_000)) one.heard(nowMs);
    if (nowMs === 1_200) one.broke(nowMs);
  }
  expect(one.isCut).toBe(false);
  one.broke(5_000);
  expect(one.isCut).toBe(true);
});

it('sees by the end of a connection itself that it slept before', () => {
  const one = new CutOff();
  one.tick(0);
  one.heard(5_000);
  one.broke(5_000);
  expect(one.isCut).toBe(true);
});

it('takes a broker that this side turned away from for one that may go on, until it is heard again', () => {
  const one = new CutOff();
  one.tick(0);
  one.heard(900);
  one.left();
  one.broke(900);
  expect(one.isCut).toBe(true);
  one.heard(2_000);
  expect(one.isCut).toBe(false);
});
