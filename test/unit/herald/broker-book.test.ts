import { describe, expect, it } from 'vitest';
import { ANNOUNCEMENT_TTL_MS, createBrokerBook } from '../../../src/herald/brokers/broker-book.ts';
import type { BrokerAddress } from '../../../src/protocol/broker-address.ts';

const broker = (epoch: string, id = 'b1'): BrokerAddress => ({
  id,
  publish: '',
  subscribe: '',
  repair: '',
  http: '',
  epoch,
  state: 'up',
});

describe('a broker of a name that another has', () => {
  it('takes it over when it is the later one, and keeps it', () => {
    const book = createBrokerBook();
    expect(book.announce(broker('old'), 0)).toBe('taken');
    expect(book.announce(broker('new'), 500)).toBe('taken');
    for (let nowMs = 1_000; nowMs < 10_000; nowMs += 500) {
      expect(book.announce(broker('old'), nowMs)).toBe('replaced');
      expect(book.announce(broker('new'), nowMs)).toBe('taken');
      expect(book.list(nowMs)).toEqual([{ ...broker('new'), silentMs: 0 }]);
    }
  });

  it('is listed again when the later one is gone', () => {
    const book = createBrokerBook();
    book.announce(broker('old'), 0);
    book.announce(broker('new'), 500);
    expect(book.announce(broker('old'), 500 + ANNOUNCEMENT_TTL_MS)).toBe('taken');
  });

  it('is not taken along by the goodbye of an earlier one', () => {
    const book = createBrokerBook();
    book.announce(broker('old'), 0);
    book.announce(broker('new'), 500);
    book.withdraw('b1', 'old');
    expect(book.list(600)).toEqual([{ ...broker('new'), silentMs: 100 }]);
    book.withdraw('b1', 'new');
    expect(book.list(600)).toEqual([]);
  });
});

it('says of brokers of the cluster too how long ago they announced themselves here, if that was this life', () => {
  const book = createBrokerBook();
  book.setClusterBrokers([broker('e', 'b1'), broker('later', 'b2'), broker('e', 'b3')], 0);
  for (const id of ['b1', 'b2']) book.announce(broker('e', id), 1_000);
  expect(book.list(1_250).map(({ silentMs }) => silentMs)).toEqual([250, undefined, undefined]);
});

it('says so of one that fell silent for as long as the cluster has it', () => {
  const book = createBrokerBook();
  book.setClusterBrokers([broker('e')], 0);
  book.announce(broker('e'), 1_000);
  expect(book.list(6_000)).toEqual([{ ...broker('e'), silentMs: 5_000 }]);
  book.setClusterBrokers([broker('f')], 6_500);
  expect(book.list(6_500)).toEqual([broker('f')]);
  book.setClusterBrokers([], 7_000);
  expect(book.list(7_000)).toEqual([]);
});

describe('a broker is missed', () => {
  const HOUR_MS = 3_600_000;

  it('when it ended without a goodbye, until it is back, or for an hour', () => {
    const book = createBrokerBook();
    book.announce(broker('e'), 0);
    expect(book.missing(1_000)).toBe(0);
    expect(book.missing(5_000)).toBe(1);
    book.announce(broker('f'), 6_000);
    expect(book.missing(6_000)).toBe(0);
    expect(book.missing(HOUR_MS + 6_000)).toBe(1);
    expect(book.missing(HOUR_MS + 6_001)).toBe(0);
  });

  it('and is not when it said goodbye, or that it drains', () => {
    const book = createBrokerBook();
    book.announce(broker('e', 'b1'), 0);
    book.announce(broker('e', 'b2'), 0);
    book.withdraw('b1', 'e');
    book.announce({ ...broker('e', 'b2'), state: 'draining' }, 500);
    expect(book.missing(60_000)).toBe(0);
  });

  it('by what the cluster says of it, too', () => {
    const book = createBrokerBook();
    const draining: BrokerAddress = { ...broker('e', 'b3'), state: 'draining' };
    book.setClusterBrokers([broker('e', 'b1'), broker('e', 'b2'), draining], 0);
    book.setClusterBrokers([broker('e', 'b1')], 1_000);
    expect(book.missing(60_000)).toBe(1);
    book.withdraw('b2', 'e');
    expect(book.missing(60_000)).toBe(0);
  });
});

it('the book misses 256 brokers at most, those that were there last', () => {
  const book = createBrokerBook();
  for (let i = 0; i < 300; i++) {
    book.setClusterBrokers([broker('e', `b${i}`)], i);
  }
  book.setClusterBrokers([], 300);
  expect(book.missing(300)).toBe(256);
  book.withdraw('b299', 'e');
  expect(book.missing(300)).toBe(255);
  book.withdraw('b0', 'e');
  expect(book.missing(300)).toBe(255);
});

it('the book has room for 64 names', () => {
  const book = createBrokerBook();
  for (let i = 0; i < 64; i++) expect(book.announce(broker('e', `b${i}`), 0)).toBe('taken');
  expect(book.announce(broker('e', 'b64'), 0)).toBe('full');
  expect(book.announce(broker('e', 'b64'), ANNOUNCEMENT_TTL_MS)).toBe('taken');
});
