import { describe, expect, it } from 'vitest';
import { aBalancer, aLookup, aReport, named, shares } from './given.ts';

describe('rows of another Herald', () => {
  const fromOther = (seq: number, cpu: number, bootId = 'boot-1') => {
    const other = aBalancer({ heraldId: 'h2' });
    other.report(aReport('a', { seq, cpu, bootId }), 0);
    return other.rows(0);
  };

  it('let a new Herald serve at once', () => {
    const balancer = aBalancer();
    balancer.mergeRows(fromOther(3, 0.4), 10_000);
    expect(named(balancer.lookup(aLookup(), 10_000))).toBe('a');
    expect(balancer.snapshot(10_000).gateways[0]).toMatchObject({
      correctedScore: 0.4,
      seq: 3,
      hearsay: true,
    });
    balancer.report(aReport('a', { seq: 4 }), 10_100);
    expect(balancer.gateway('a', 10_100)).toMatchObject({ seq: 4, hearsay: false });
  });

  it('win with a newer seq and lose with an older one', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a', { seq: 5, cpu: 0.5 }), 0);
    balancer.mergeRows(fromOther(4, 0.1), 10);
    expect(balancer.snapshot(10).gateways[0]!.reportedScore).toBe(0.5);
    balancer.mergeRows(fromOther(6, 0.7), 20);
    expect(balancer.snapshot(20).gateways[0]!.reportedScore).toBe(0.7);
  });

  it('of another boot win when they are younger than the own last report', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a', { seq: 900, cpu: 0.5 }), 1_000);
    const rows = fromOther(1, 0.2, 'boot-2');
    balancer.mergeRows(
      rows.map((row) => ({ ...row, ageMs: 5_000 })),
      1_500,
    );
    expect(balancer.snapshot(1_500).gateways[0]!.bootId).toBe('boot-1');
    balancer.mergeRows(
      rows.map((row) => ({ ...row, ageMs: 100 })),
      1_500,
    );
    expect(balancer.snapshot(1_500).gateways[0]!.bootId).toBe('boot-2');
  });

  it('carry their age: an old row is not named', () => {
    const balancer = aBalancer();
    balancer.report(aReport('b'), 0);
    balancer.mergeRows(
      fromOther(3, 0.1).map((row) => ({ ...row, ageMs: 2_500 })),
      0,
    );
    expect(shares(balancer, 20, 0)).toEqual(new Map([['b', 20]]));
  });

  it('bring the hard cap of their gateway along', () => {
    const other = aBalancer({ heraldId: 'h2' });
    other.report(aReport('a', { connections: 500, maxConnections: 500 }), 0);
    const balancer = aBalancer();
    balancer.mergeRows(other.rows(0), 0);
    expect(balancer.lookup(aLookup(), 0)).toMatchObject({ ok: false, refused: { full: 1 } });
  });

  it('of a boot that was replaced change nothing, however young they are', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a'), 0);
    balancer.report(aReport('a', { bootId: 'boot-2', connections: 3 }), 100);
    const other = aBalancer({ heraldId: 'h2' });
    other.report(aReport('a', { seq: 9 }), 150);
    balancer.mergeRows(other.rows(200), 200);
    expect(balancer.newest('a')).toMatchObject({ bootId: 'boot-2' });
  });

  it('of a script that began anew, its own reports follow', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a', { bootId: '', seq: 50 }), 0);
    const other = aBalancer({ heraldId: 'h2' });
    other.report(aReport('a', { bootId: '', seq: 2 }), 5_000);
    balancer.mergeRows(other.rows(5_000), 5_000);
    expect(balancer.newest('a')).toMatchObject({ seq: 2 });
    expect(balancer.report(aReport('a', { bootId: '', seq: 3 }), 5_500)).toMatchObject({ taken: true });
  });

  it('make a silent gateway no younger by coming again with a wrong age', () => {
    const other = aBalancer({ heraldId: 'h2' });
    other.report(aReport('a', { bootId: '' }), 0);
    const balancer = aBalancer();
    balancer.mergeRows(other.rows(0), 0);
    balancer.mergeRows(other.rows(0), 10_000);
    expect(balancer.gateway('a', 10_000)).toMatchObject({ ageMs: 10_000 });
  });

  it('change nothing where they are too old, name a URL that may not be handed out, or the table is full', () => {
    const balancer = aBalancer({
      maxGateways: 1,
      forgetAfterMs: 1_000,
      allowUrl: (url) => !url.includes('evil'),
    });
    const [row] = fromOther(1, 0.2);
    balancer.mergeRows([{ ...row!, ageMs: 10_001 }], 0);
    balancer.mergeRows([{ ...row!, url: 'ws://evil.test/ws' }], 0);
    expect(balancer.size()).toBe(0);
    balancer.mergeRows(
      [
        { ...row!, ageMs: 10_000 },
        { ...row!, gateway: 'b' },
      ],
      0,
    );
    expect(balancer.rows(0)).toMatchObject([{ gateway: 'a' }]);
  });

  it('survive the way through their own encoding', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a', { zone: 'eu', labels: { x: 'y' }, maxConnections: 900, capacity: 2 }), 0);
    const again = aBalancer({ heraldId: 'h3' });
    again.mergeRows(balancer.rows(100), 0);
    expect(again.rows(0)).toEqual(balancer.rows(100));
  });
});

describe('pools', () => {
  it('have a policy of their own', () => {
    const balancer = aBalancer({ pools: { rr: { policy: 'round-robin' } } });
    for (const id of ['a', 'b', 'c'])
      balancer.report(aReport(id, { pool: 'rr', cpu: id === 'a' ? 0.9 : 0 }), 0);
    expect(shares(balancer, 30, 0, { pool: 'rr' })).toEqual(
      new Map([
        ['a', 10],
        ['b', 10],
        ['c', 10],
      ]),
    );
  });

  it('with `round-robin` go on where they were when somebody comes or goes', () => {
    const balancer = aBalancer({ defaultPool: { policy: 'round-robin' } });
    for (const id of ['a', 'b', 'c']) balancer.report(aReport(id, { labels: { all: 'yes' } }), 0);
    for (const labels of [{}, { all: 'yes' }] as Record<string, string>[]) {
      const turns = Array.from({ length: 6 }, (_, i) => {
        balancer.report(
          aReport('other', { seq: 1 + i, bootId: JSON.stringify(labels), zone: `z${i}`, state: 'draining' }),
          1,
        );
        return named(balancer.lookup(aLookup({ labels }), 1));
      });
      expect(turns.join('')).toBe('abcabc');
    }
  });

  it('with `p2c` name the only one that a client does not exclude, whomever the draws meet', () => {
    const balancer = aBalancer({ defaultPool: { policy: 'p2c' } });
    const exclude = Array.from({ length: 16 }, (_, i) => `gw-${i}`);
    for (const id of [...exclude, 'other']) balancer.report(aReport(id), 0);
    expect([...shares(balancer, 20, 1, { exclude }).keys()]).toEqual(['other']);
  });

  it('with `least` name the one of least reported score, and equals equally often', () => {
    const balancer = aBalancer({ defaultPool: { policy: 'least' } });
    for (const id of ['a', 'b', 'c', 'd']) balancer.report(aReport(id, { cpu: id === 'a' ? 0.5 : 0.2 }), 0);
    const found = shares(balancer, 3_000, 0);
    expect([...found.keys()].sort()).toEqual(['b', 'c', 'd']);
    for (const count of found.values()) expect(Math.abs(count - 1_000)).toBeLessThan(120);
    balancer.report(aReport('a', { seq: 2, cpu: 0.1 }), 1);
    expect(shares(balancer, 50, 1)).toEqual(new Map([['a', 50]]));
  });

  it('change when a gateway does, and not with each of its reports', () => {
    const balancer = aBalancer();
    const versionAfter = (seq: number, fields = {}): number => {
      balancer.report(aReport('a', { seq, ...fields }), seq);
      return balancer.snapshot(seq).version;
    };
    const first = versionAfter(1);
    expect([versionAfter(2), versionAfter(3, { zone: 'eu' }) > first]).toEqual([first, true]);
  });

  it('lose a gateway that moves to another', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a'), 0);
    balancer.report(aReport('a', { seq: 2, pool: 'chat' }), 1);
    expect(balancer.lookup(aLookup(), 2)).toMatchObject({ ok: false, code: 'no-gateways' });
    expect(named(balancer.lookup(aLookup({ pool: 'chat' }), 2))).toBe('a');
  });

  it.each(['p2c', 'least', 'weighted', 'random', 'round-robin', 'expected'] as const)(
    'choose by %s: everybody eligible is named now and then, nobody else ever, ties at random',
    (policy) => {
      const balancer = aBalancer({ defaultPool: { policy } });
      for (const id of ['a', 'b', 'c', 'd']) balancer.report(aReport(id), 0);
      balancer.suspect('d', 0);
      const found = shares(balancer, 300, 1);
      expect([...found.keys()].sort()).toEqual(['a', 'b', 'c']);
      for (const count of found.values()) expect(count).toBeGreaterThan(60);
      const alternates = balancer.lookup(aLookup({ alternates: 3 }), 1);
      expect(alternates.ok && alternates.alternates.length).toBe(2);
    },
  );

  it('know a new capacity of a gateway with its report', () => {
    const balancer = aBalancer({ defaultPool: { policy: 'random' } });
    for (const id of ['a', 'b']) balancer.report(aReport(id), 0);
    balancer.report(aReport('a', { seq: 2, capacity: 1.5 }), 1);
    expect(balancer.gateway('a', 1)).toMatchObject({ capacity: 1.5 });
    expect(shares(balancer, 2_000, 1).get('a')! / 2_000).toBeCloseTo(0.6, 1.3);
  });

  it('are drawn from by capacity, which counts up to sixteen times the median', () => {
    const balancer = aBalancer({ defaultPool: { policy: 'random' } });
    for (let i = 0; i < 9; i++) balancer.report(aReport(`gw-${i}`), 0);
    balancer.report(aReport('huge', { capacity: 100_000 }), 0);
    const huge = shares(balancer, 2_000, 0).get('huge')! / 2_000;
    expect(huge).toBeGreaterThan(0.58);
    expect(huge).toBeLessThan(0.7);
  });
});
