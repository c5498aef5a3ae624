import { describe, expect, it } from 'vitest';
import { nearest } from '../../../src/protocol/nearest.ts';

describe('the nearest known word', () => {
  const known = ['publicListen', 'adminListen', 'statsd', 'zone'];

  it.each([
    ['publiclisten', 'publicListen'],
    ['publicLissen', 'publicListen'],
    ['admin_listen', 'adminListen'],
    ['statd', 'statsd'],
    ['zones', 'zone'],
  ])('of %s is %s', (given, expected) => {
    expect(nearest(given, known)).toBe(expected);
  });

  it.each(['', 'colour', 'listen everywhere'])('of "%s" is none: a wild guess helps nobody', (given) => {
    expect(nearest(given, known)).toBeUndefined();
  });

  it('is not looked for in full: a Herald that compared 100,000 names to the end would answer nobody meanwhile', () => {
    const fleet = Array.from({ length: 100_000 }, (_, i) => `gw-${i}.eu-west.example.net-7410`);
    const startMs = performance.now();
    expect(nearest('x'.repeat(256), fleet)).toBeUndefined();
    expect(performance.now() - startMs).toBeLessThan(2_000);
  });
});
