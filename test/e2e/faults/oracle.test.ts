// The oracle must find what is wrong when something is: a table that cannot fail would prove nothing.

import { describe, expect, it } from 'vitest';
import { findingOf } from './finding.ts';
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

function book(answers: Partial<Answer>[]) {
  const oracle = createOracle();
  for (const answer of answers) oracle.record({ ...good, ...answer });
  return { oracle, finding: findingOf(oracle, { fault: 'a fault', measured: 'took', limitMs: 100 }) };
}

describe('the oracle', () => {
  it('finds nothing wrong where nothing is', () => {
    const { finding } = book([{}, { askedMs: 1_100, answeredMs: 1_101 }]);
    finding.lookups({ fromMs: 1_000 });
    finding.mustNotName('gw-09', { fromMs: 1_000 }, 'dead');
    finding.took(99);
    expect(finding.end()).toMatchObject({ lookups: 2, failed: 0, wrong: 0, breaches: [] });
  });

  it('finds a wrong name among the alternates, and only after the limit', () => {
    const { oracle, finding } = book([{}, { askedMs: 1_150 }, { askedMs: 1_200, names: ['gw-03', 'gw-02'] }]);
    expect(oracle.lastNamedMs('gw-02', { fromMs: 1_000 })).toBe(200);
    finding.mustNotName('gw-02', { fromMs: 1_100 }, 'dead for 100 ms');
    finding.mustNotName('gw-01', { fromMs: 1_160 }, 'dead for 100 ms');
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
    finding.took(150);
    finding.took(20);
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
});
