import { describe, expect, it } from 'vitest';
import { HotKeys } from '../../../src/herald/core/hot-keys.ts';
import { LookupRates } from '../../../src/herald/core/lookup-rates.ts';
import { retryAfterMs } from '../../../src/herald/core/admission.ts';
import { TokenBucket } from '../../../src/herald/core/token-bucket.ts';
import { encodeTicket } from '../../../src/protocol/ticket.ts';
import { aBalancer, aLookup, aReport, HERALD, lacking, named, shares } from './given.ts';

describe('admission', () => {
  it('refuses a new connection above 0.90 and lets those that resume or move in up to 0.95', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a', { cpu: 0.92 }), 0);
    balancer.report(aReport('b', { cpu: 0.94 }), 0);
    expect(balancer.lookup(aLookup(), 0)).toMatchObject({
      ok: false,
      code: 'overloaded',
      refused: { overloaded: 2 },
    });
    expect(balancer.lookup(aLookup({ intent: 'resume' }), 0).ok).toBe(true);
    expect(named(balancer.lookup(aLookup({ intent: 'move' }), 0))).toBe('a');
  });

  it('says so however large the load is', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a', { cpu: 400 }), 0);
    expect(balancer.lookup(aLookup(), 0)).toMatchObject({ code: 'overloaded', refused: { overloaded: 1 } });
  });

  it('finds the one gateway with room among a hundred full ones, every time', () => {
    const balancer = aBalancer();
    for (let i = 0; i < 100; i++) balancer.report(aReport(`gw-${i}`, { cpu: i === 42 ? 0.3 : 0.97 }), 0);
    expect(shares(balancer, 40, 0)).toEqual(new Map([['gw-42', 40]]));
  });

  it('refuses nobody else because a client excludes the one with room', () => {
    const balancer = aBalancer();
    for (let i = 0; i < 100; i++) balancer.report(aReport(`gw-${i}`, { cpu: i === 42 ? 0.3 : 0.97 }), 0);
    expect(balancer.lookup(aLookup({ exclude: ['gw-42'] }), 0)).toMatchObject({ code: 'overloaded' });
    expect(shares(balancer, 40, 0)).toEqual(new Map([['gw-42', 40]]));
  });

  it('finds it for clients that return as well, who may go where newcomers were just refused', () => {
    const balancer = aBalancer({ defaultPool: { handshakeSeconds: 0 } });
    for (let i = 0; i < 100; i++) balancer.report(aReport(`gw-${i}`, { cpu: i === 7 ? 0.93 : 0.97 }), 0);
    for (let i = 0; i < 20; i++) {
      expect(balancer.lookup(aLookup(), 1).ok).toBe(false);
      expect(named(balancer.lookup(aLookup({ intent: 'resume' }), 1))).toBe('gw-7');
    }
  });

  it('gives each refused caller its own time to come back, later when more are refused', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a', { cpu: 0.99 }), 0);
    const waits = (nowMs: number): number[] =>
      Array.from({ length: 50 }, () => {
        const verdict = balancer.lookup(aLookup(), nowMs);
        return verdict.ok ? 0 : verdict.retryAfterMs;
      });
    expect(new Set(waits(0)).size).toBeGreaterThan(40);
    expect(retryAfterMs(0, true, 0.5)).toBe(1_000);
    expect(retryAfterMs(1, true, 0.99)).toBeLessThan(9_000);
    expect(retryAfterMs(0, false, 0.5)).toBe(2_000);
    expect(retryAfterMs(1, false, 0.5)).toBe(20_000);
    expect(retryAfterMs(0.5, false, 0)).toBeLessThan(retryAfterMs(0.5, false, 0.99));
  });

  it('sends nobody far away for one bad second of a quiet fleet, and further the longer it lasts', () => {
    const balancer = aBalancer();
    const refuse = (nowMs: number, intent: 'connect' | 'resume'): number => {
      balancer.tick(nowMs);
      const verdict = balancer.lookup(aLookup({ intent }), nowMs);
      return verdict.ok ? NaN : verdict.retryAfterMs;
    };
    const longest: Record<string, number> = {};
    for (let nowMs = 0; nowMs <= 30_000; nowMs += 100) {
      // Three gateways on one busy machine: all of them are full at once.
      for (const gateway of ['a', 'b', 'c'])
        balancer.report(aReport(gateway, { cpu: 1.2, seq: nowMs }), nowMs);
      const span = nowMs <= 1_000 ? 'first second' : nowMs > 15_000 ? 'later' : 'between';
      for (const intent of ['connect', 'resume'] as const) {
        const key = `${span}, ${intent}`;
        longest[key] = Math.max(longest[key] ?? 0, refuse(nowMs, intent));
      }
    }
    expect(longest['first second, connect']).toBeLessThan(6_000);
    expect(longest['first second, resume']).toBeLessThan(2_500);
    expect(longest['later, connect']).toBeGreaterThan(20_000);
    expect(longest['later, connect']).toBeLessThanOrEqual(30_000);
    expect(longest['later, resume']).toBeLessThanOrEqual(9_000);
  });

  it('does not apply to the simpler policies', () => {
    const balancer = aBalancer({ defaultPool: { policy: 'round-robin' } });
    balancer.report(aReport('a', { cpu: 0.99 }), 0);
    expect(balancer.lookup(aLookup(), 0).ok).toBe(true);
  });
});

describe('the token bucket', () => {
  it('lets a burst pass, then the rate, and queues the refused one behind the other', () => {
    const bucket = new TokenBucket(10, 3);
    expect([1, 2, 3].map(() => bucket.take(0))).toEqual([0, 0, 0]);
    expect([1, 2, 3].map(() => bucket.take(0))).toEqual([100, 200, 300]);
    expect(bucket.take(100)).toBe(0);
    expect(bucket.take(100)).toBeGreaterThan(0);
  });

  it('sends nobody away for more than a minute', () => {
    const bucket = new TokenBucket(1, 1);
    for (let i = 0; i < 500; i++) expect(bucket.take(0)).toBeLessThanOrEqual(60_000);
    const slow = new TokenBucket(0.001, 1);
    expect([slow.take(0), slow.take(0), slow.take(0)]).toEqual([0, 60_000, 60_000]);
  });

  it('sends those who find the whole minute taken to all of it, not to its end', () => {
    const bucket = new TokenBucket(10, 1);
    const waits = Array.from({ length: 6_001 }, () => bucket.take(0)).slice(1);
    const together = new Map<number, number>();
    for (const waitMs of waits) together.set(waitMs, (together.get(waitMs) ?? 0) + 1);
    expect(together.size).toBe(600);
    expect(Math.max(...together.values())).toBe(10);
  });

  it('limits a pool', () => {
    const balancer = aBalancer({ pools: { default: { lookupsPerSec: 5, lookupBurst: 2 } } });
    balancer.report(aReport('a'), 0);
    expect([1, 2].map(() => balancer.lookup(aLookup(), 0).ok)).toEqual([true, true]);
    expect(balancer.lookup(aLookup(), 0)).toEqual({
      ok: false,
      lookupId: expect.any(String) as string,
      code: 'rate-limited',
      detail: 'pool default is at its rate limit of lookups',
      refused: {},
      retryAfterMs: 200,
    });
  });
});

describe('in a crowd', () => {
  const rates = (perSec: (sec: number) => number, untilSec: number): LookupRates => {
    const found = new LookupRates();
    for (let step = 0; step <= untilSec * 10; step++) {
      found.roll(step * 100);
      for (let i = perSec(step / 10) / 10; i >= 1; i--) found.countLookup();
    }
    return found;
  };

  it('a lookup looks at two gateways, at eight as soon as the rate is usual again', () => {
    expect(rates(() => 100, 300).drawsFor(8)).toBe(8);
    expect(rates((sec) => (sec < 300 ? 100 : 5_000), 304).drawsFor(8)).toBe(2);
    expect(rates((sec) => (sec > 300 && sec < 305 ? 5_000 : 100), 330).drawsFor(8)).toBe(8);
  });

  it('a quiet pool is never crowded by a few arrivals', () => {
    const quiet = new LookupRates();
    for (let step = 0; step < 3_000; step++) quiet.roll(step * 100);
    quiet.countLookup();
    quiet.countLookup();
    quiet.roll(300_000);
    expect(quiet.drawsFor(8)).toBe(8);
  });
});

describe('a hot key', () => {
  it('is found among more keys than there are counters', () => {
    const keys = new HotKeys();
    for (let i = 0; i < 64; i++) keys.count(`own-${i}`, 0);
    let hot = false;
    for (let i = 0; i < 200; i++) hot = keys.count('match', 0);
    expect(hot).toBe(true);
  });

  it('is one with over a tenth of the lookups and more than five a second', () => {
    const keys = new HotKeys();
    let hot = false;
    for (let i = 0; i < 1_000; i++) {
      hot = keys.count('match', i * 10);
      for (let j = 0; j < 4; j++) keys.count(`own-${i}-${j}`, i * 10);
    }
    expect(hot).toBe(true);
    expect(keys.count('own-999-1', 10_000)).toBe(false);
    expect(keys.count('match', 60_000)).toBe(false);
  });

  it('is not one that is merely the only visitor of a quiet pool', () => {
    const keys = new HotKeys();
    for (let i = 0; i < 200; i++) expect(keys.count('me', i * 250)).toBe(false);
  });

  it('is spread over the pool instead of following its owner', () => {
    const balancer = aBalancer();
    for (let i = 0; i < 10; i++) balancer.report(aReport(`gw-${i}`), 0);
    let found = new Map<string, number>();
    for (let nowMs = 0; nowMs < 10_000; nowMs += 500) {
      for (let i = 0; i < 10; i++) balancer.report(aReport(`gw-${i}`, { seq: 2 + nowMs }), nowMs);
      balancer.tick(nowMs);
      found = shares(balancer, 50, nowMs, { key: 'final' });
    }
    expect(found.size).toBe(10);
  });

  it('is none where most lookups name no key at all', () => {
    const balancer = aBalancer({ defaultPool: { handshakeSeconds: 0 } });
    let found = new Map<string, number>();
    for (let nowMs = 0; nowMs < 10_000; nowMs += 500) {
      for (let i = 0; i < 10; i++) balancer.report(aReport(`gw-${i}`, { seq: 2 + nowMs }), nowMs);
      balancer.tick(nowMs);
      shares(balancer, 600, nowMs);
      found = shares(balancer, 50, nowMs, { key: 'final' });
    }
    expect(found.size).toBe(1);
  });
});

describe('affinity', () => {
  // 200 connects at once are load of their own; here the keys alone are asked about.
  const fleet = (cpus: number[], nowMs = 0) => {
    const balancer = aBalancer({ defaultPool: { handshakeSeconds: 0 } });
    cpus.forEach((cpu, i) => balancer.report(aReport(`gw-${i}`, { cpu }), nowMs));
    return balancer;
  };

  it('keeps a key at its gateway, spreads keys, and moves only the keys of one that left', () => {
    const balancer = fleet(Array.from({ length: 10 }, () => 0.3));
    const owners = (): string[] =>
      Array.from({ length: 200 }, (_, i) => named(balancer.lookup(aLookup({ key: `user-${i}` }), 100 + i)));
    const before = owners();
    expect(new Set(before).size).toBe(10);
    balancer.setDesired('gw-3', { state: 'drain', reason: '', author: '', untilEpochMs: 0 }, 300);
    const after = Array.from({ length: 200 }, (_, i) =>
      named(balancer.lookup(aLookup({ key: `user-${i}` }), 400 + i)),
    );
    after.forEach((owner, i) => {
      if (before[i] === 'gw-3') expect(owner).not.toBe('gw-3');
      else expect(owner).toBe(before[i]);
    });
  });

  it('leaves an owner that is too loaded', () => {
    const owner = named(fleet([0.3, 0.3, 0.3]).lookup(aLookup({ key: 'k' }), 150));
    const cpus = [0.3, 0.3, 0.3].map((cpu, i) => (owner === `gw-${i}` ? 0.8 : cpu));
    expect(named(fleet(cpus).lookup(aLookup({ key: 'k' }), 150))).not.toBe(owner);
  });

  it('stays at an owner a little over a small mean', () => {
    const owner = named(fleet([0.05, 0.05, 0.05]).lookup(aLookup({ key: 'k' }), 150));
    const cpus = [0.05, 0.05, 0.05].map((cpu, i) => (owner === `gw-${i}` ? 0.13 : cpu));
    expect(named(fleet(cpus).lookup(aLookup({ key: 'k' }), 150))).toBe(owner);
  });

  it('leaves it as well while a breaker is open: that is no load of the pool', () => {
    const calm = [0.3, 0.3, 0.3, 0.3];
    const owner = named(fleet(calm).lookup(aLookup({ key: 'k' }), 150));
    const balancer = fleet(calm.map((cpu, i) => (owner === `gw-${i}` ? 0.6 : cpu)));
    const shut = owner === 'gw-0' ? 'gw-1' : 'gw-0';
    balancer.report(lacking(aReport(shut, { seq: 99, cpu: 0.3 }), 'acceptedTotal', 'connections'), 10);
    for (let i = 0; i < 200; i++) {
      const verdict = balancer.lookup(aLookup(), 10);
      if (named(verdict) !== shut || !verdict.ok) continue;
      const { ticketSeq: seq } = verdict.best;
      const failedTicket = encodeTicket({ heraldId: HERALD, seq, issuedMs: 0, mac: 'A'.repeat(22) });
      balancer.lookup(aLookup({ exclude: [shut], failedTicket }), 10);
    }
    expect(balancer.gateway(shut, 150)?.breaker).toBe('open');
    expect(named(balancer.lookup(aLookup({ key: 'k' }), 150))).not.toBe(owner);
  });
});

it('lets a storm in as far as handshakes add 0.4, not further', () => {
  const balancer = aBalancer();
  balancer.report(aReport('a', { cpu: 0.7 }), 0);
  const verdicts = Array.from({ length: 1_000 }, () => balancer.lookup(aLookup(), 1).ok);
  expect(verdicts.filter((ok) => ok).length).toBeLessThan(400);
});

it('names the least loaded of all to a client that is told to move', () => {
  const balancer = aBalancer();
  for (let i = 0; i < 200; i++) balancer.report(aReport(`gw-${i}`, { cpu: i === 77 ? 0.2 : 0.5 }), 0);
  expect(named(balancer.lookup(aLookup({ intent: 'move' }), 1))).toBe('gw-77');
});

it('keeps to the share cap when one is set', () => {
  const capped = aBalancer({ defaultPool: { shareCap: 2 } });
  const free = aBalancer();
  const newcomerShare = (balancer: typeof capped): number => {
    for (let i = 0; i < 20; i++)
      balancer.report(aReport(`gw-${i}`, { cpu: i === 0 ? 0 : 0.7, connections: i && 3_500 }), 0);
    let got = 0;
    for (let nowMs = 0; nowMs < 1_900; nowMs += 10) {
      if (named(balancer.lookup(aLookup(), nowMs)) === 'gw-0') got++;
    }
    return got / 190;
  };
  expect(newcomerShare(free)).toBeGreaterThan(0.25);
  expect(newcomerShare(capped)).toBeLessThan(0.2);
});

it('keeps to no share cap while lookups are few: a fair share of them is less than one', () => {
  const balancer = aBalancer({ defaultPool: { shareCap: 2 } });
  let got = 0;
  for (let nowMs = 0; nowMs < 20_000; nowMs += 200) {
    for (let i = 0; i < 20 && nowMs % 1_000 === 0; i++) {
      const fields = { cpu: i === 0 ? 0 : 0.7, connections: i && 3_500 };
      balancer.report(aReport(`gw-${i}`, { seq: 1 + nowMs, ...fields }), nowMs);
    }
    balancer.tick(nowMs);
    if (named(balancer.lookup(aLookup(), nowMs)) === 'gw-0') got++;
  }
  expect(got).toBeGreaterThan(25);
});

it('draws as ever where none is set, however many lookups come', () => {
  const balancer = aBalancer();
  for (const id of ['a', 'b']) balancer.report(aReport(id), 0);
  for (let nowMs = 0; nowMs < 1_000; nowMs += 10) balancer.lookup(aLookup(), nowMs);
  const { lookupId } = balancer.lookup(aLookup(), 1_000);
  expect(balancer.explain(lookupId)).toMatchObject({ way: 'drawn' });
});
