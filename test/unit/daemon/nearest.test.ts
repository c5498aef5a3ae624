import { describe, expect, it } from 'vitest';
import { nearest } from '../../../src/daemon/nearest.ts';

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
});
