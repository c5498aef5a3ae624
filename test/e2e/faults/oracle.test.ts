// The oracle must find what is wrong when something is: a table that cannot fail would prove nothing.

import { describe, expect, it } from 'vitest';
import { fairTries } from './fair-tries.ts';
import { findingOf } from './finding.ts';
import { startMetronome } from './metronome.ts';
import { createOracle } from './oracle.ts';
import type { Answer } from './oracle.ts';

const good: Answer = {
  road: 'direct',
  herald: 'h1',
  askedMs: 1_000,
  answeredMs: 1_002,
  status: 200,
  names: ['gw-01', 'gw-02'],
  tableAgeMs: 100,
  trouble: '',
};

function book(answers: Partial<Answer>[], lateMs = 0) {
  const oracle = createOracle(undefined, () => lateMs);
  for (const answer of answers) oracle.record({ ...good, ...answer });
  return { oracle, finding: findingOf(oracle, { fault: 'a fault', measured: 'took', limitMs: 100 }) };
}

describe('the oracle', () => {
  it('finds nothing wrong where nothing is', () => {
    const { finding } = book([{}, { askedMs: 1_100, answeredMs: 1_101 }]);
    finding.lookups({ fromMs: 1_000 });
    finding.mustNotName('gw-09', 100, { fromMs: 1_000 }, 'dead');
    finding.took(1_000, 99);
    expect(finding.end()).toMatchObject({ lookups: 2, failed: 0, wrong: 0, breaches: [] });
  });

  it('finds a wrong name among the alternates, and only after the limit', () => {
    const { oracle, finding } = book([{}, { askedMs: 1_150 }, { askedMs: 1_200, names: ['gw-03', 'gw-02'] }]);
    expect(oracle.lastNamedMs('gw-02', { fromMs: 1_000 })).toBe(200);
    finding.mustNotName('gw-02', 100, { fromMs: 1_000 }, 'dead');
    finding.mustNotName('gw-01', 100, { fromMs: 1_060 }, 'dead');
    expect(finding.end()).toMatchObject({ wrong: 2 });
    expect(finding.end().breaches).toHaveLength(1);
  });

  it.each([
    ['a refusal', { status: 503 }],
    ['no answer', { status: 0, trouble: 'connection refused' }],
    ['an answer that took too long', { answeredMs: 2_100 }],
  ])('counts %s as a failed lookup', (_what, answer) => {
    const { finding } = book([{}, answer]);
    finding.lookups({ fromMs: 1_000 });
    expect(finding.end()).toMatchObject({ lookups: 2, failed: 1 });
    expect(finding.end().breaches).toHaveLength(1);
  });

  it('does not hold when nothing was asked', () => {
    const { finding } = book([{}]);
    finding.lookups({ fromMs: 5_000 });
    expect(finding.end().breaches).toHaveLength(1);
  });

  it('does not hold when it took longer than the limit, and keeps the worst', () => {
    const { finding } = book([]);
    finding.took(1_000, 150);
    finding.took(1_000, 20);
    expect(finding.end()).toMatchObject({ worstMs: 150 });
    expect(finding.end().breaches).toHaveLength(1);
  });

  it('asks only the Heralds and roads in scope', () => {
    const { oracle } = book([
      {},
      { herald: 'h2' },
      { road: 'client', herald: 'h2' },
      { road: 'haproxy', herald: '' },
    ]);
    expect(oracle.asked({ fromMs: 0, roads: ['direct'], heralds: ['h1'] })).toBe(1);
    expect(oracle.asked({ fromMs: 0, heralds: ['h1'] })).toBe(3);
    expect(oracle.asked({ fromMs: 0, roads: ['client', 'haproxy'] })).toBe(2);
  });

  it('allows what the machine took in the same moments, and no more than the limit once more', () => {
    const late = book([{ askedMs: 1_150 }, { askedMs: 1_170 }], 60);
    late.finding.took(1_000, 155);
    late.finding.mustNotName('gw-01', 100, { fromMs: 1_000 }, 'dead');
    expect(late.finding.end()).toMatchObject({ wrong: 1, lateMs: 60 });
    expect(late.finding.end().breaches).toHaveLength(1);
    const stalled = book([], 5_000);
    expect(stalled.finding.fair(1_000)).toBe(false);
    stalled.finding.took(1_000, 201);
    expect(stalled.finding.end().breaches).toHaveLength(1);
  });

  it('makes a try again that fell into a stall, and gives up when the machine never keeps time', async () => {
    let late = 5_000;
    const oracle = createOracle(undefined, () => late);
    const about = { fault: 'a fault', measured: 'took', limitMs: 100 };
    const finding = findingOf(oracle, about);
    const judged: number[] = [];
    await fairTries(2, finding, async (time) => {
      late = time % 2 === 0 ? 5_000 : 50;
      return { atMs: 0, judge: () => judged.push(time) };
    });
    expect(judged).toEqual([1, 3]);
    expect(finding.end()).toMatchObject({ times: 2, breaches: [] });
    const hopeless = findingOf(oracle, about);
    await fairTries(2, hopeless, async () => ({ atMs: ((late = 101), 0), judge: () => judged.push(-1) }));
    expect(judged).not.toContain(-1);
    expect(hopeless.end().breaches).toHaveLength(1);
  });
});

describe('the metronome', () => {
  it('counts the stalls that touch the moments asked for, each to its end', () => {
    let nowMs = 0;
    const metronome = startMetronome(() => nowMs);
    const beatAt = (ms: number): void => {
      nowMs = ms;
      metronome.beat();
    };
    // Due at 5, 10, then a stall from 15 to 115, then due at 120 and one from 125 to 145.
    for (const ms of [5, 10, 115, 120, 145, 150]) beatAt(ms);
    expect(metronome.lateMs(0, 14)).toBe(0);
    expect(metronome.lateMs(0, 16)).toBe(100);
    expect(metronome.lateMs(65, 100)).toBe(50);
    expect(metronome.lateMs(0, 1_000)).toBe(120);
    expect(metronome.lateMs(150, 1_000)).toBe(0);
    metronome.stop();
  });
});
