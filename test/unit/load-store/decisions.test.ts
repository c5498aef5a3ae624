// The store's pure decisions: how old, which rows, which parts, which orphans.

import { describe, expect, it } from 'vitest';
import type { Entry, Stamp } from '../../../src/cluster/coordination.ts';
import type { RowCopy } from '../../../src/herald/load-store/home-rows.ts';
import { createHomeRows } from '../../../src/herald/load-store/home-rows.ts';
import { createOrphanWatch } from '../../../src/herald/load-store/orphan-parts.ts';
import { fittingRowsPerPart, sameReports, splitParts } from '../../../src/herald/load-store/part-split.ts';
import type { OwnWrite } from '../../../src/herald/load-store/store-time.ts';
import { ageMs, betterWrite } from '../../../src/herald/load-store/store-time.ts';
import { createTableCopies, UNKNOWN_AGE_MS } from '../../../src/herald/load-store/table-copies.ts';
import { rendezvousOwner } from '../../../src/protocol/rendezvous.ts';
import type { TableRow } from '../../../src/protocol/table-row.ts';
import { encodeTablePart } from '../../../src/protocol/table-row.ts';
import { row } from './rows.ts';

describe('age by the store clock', () => {
  const own = { modifiedMs: 5_000_000, clockEpoch: 3, sentAtMs: 100, roundTripMs: 2 };

  it('is the difference of the two stamps plus the time since one’s own write', () => {
    expect(ageMs({ modifiedMs: 4_999_000, clockEpoch: 3 }, own, undefined, 600)).toBe(1_500);
  });
  it('is never negative, whatever the clocks say', () => {
    expect(ageMs({ modifiedMs: 9_999_999, clockEpoch: 3 }, own, undefined, 600)).toBe(0);
  });
  it('is not told by another leader’s clock, an hour off or not', () => {
    expect(ageMs({ modifiedMs: 1_400_000, clockEpoch: 2 }, own, undefined, 600)).toBeUndefined();
    expect(ageMs({ modifiedMs: 1_400_000, clockEpoch: 2 }, own, 400, 600)).toBe(200);
  });
  it('is at most the time since an older version was seen on an unbroken watch', () => {
    expect(ageMs({ modifiedMs: 1_000_000, clockEpoch: 3 }, own, 550, 600)).toBe(50);
  });
  it('trusts the quicker measure, less so as it gets older, and never across leaders', () => {
    const slow = { ...own, modifiedMs: own.modifiedMs + 130, sentAtMs: 200, roundTripMs: 40 };
    expect(betterWrite(own, slow)).toBe(own);
    const later = { ...slow, modifiedMs: own.modifiedMs + 59_930, sentAtMs: 60_000 };
    expect(betterWrite(own, later)).toBe(later);
    expect(betterWrite(own, { ...slow, clockEpoch: 4 })).toMatchObject({ clockEpoch: 4 });
    expect(betterWrite(undefined, slow)).toBe(slow);
    // The store's own clock was set back or forth by an hour.
    for (const byMs of [-3_600_000, 3_600_000]) {
      const next = { ...slow, modifiedMs: own.modifiedMs + 100 + byMs };
      expect(betterWrite(own, next)).toBe(next);
    }
  });
});

describe('parts', () => {
  it('hold at most 2,000 rows each, every row once, in the same parts each time', () => {
    const rows = Array.from({ length: 5_000 }, (_, i) => row(`gw-${i}`));
    const parts = splitParts(rows);
    expect(parts.map((part) => part.length)).toEqual([2_000, 2_000, 1_000]);
    expect(new Set(parts.flat()).size).toBe(5_000);
    expect(splitParts([...rows].reverse())).toEqual(parts);
    expect(splitParts([])).toEqual([]);
  });

  it.each([
    [2_000, 2_000, 262_144, 2_000],
    [2_000, 2_000, 524_288, 900],
    [2_000, 1_000, 1_048_576, 225],
    [1, 1, 999_999, 1],
  ])('of %i rows, the one with %i rows in %i bytes makes it %i', (rowsPerPart, rows, bytes, expected) => {
    expect(fittingRowsPerPart(rowsPerPart, rows, bytes)).toBe(expected);
  });

  it('change with a report and not with age alone', () => {
    const before = [row('a'), row('b')];
    expect(sameReports(before, [row('a', { ageMs: 900 }), row('b', { ageMs: 1 })])).toBe(true);
    expect(sameReports(before, [row('a', { seq: 2 }), row('b')])).toBe(false);
    expect(sameReports(before, [row('a', { bootId: 'next' }), row('b')])).toBe(false);
    expect(sameReports(before, [row('a'), row('c')])).toBe(false);
    expect(sameReports(before, [row('a')])).toBe(false);
  });
});

describe('home rows', () => {
  const heralds = ['a', 'b', 'c'];
  const rows = Array.from({ length: 60 }, (_, i) => row(`gw-${i}`, { seq: 10 }));
  const base = { rows, heralds, heard: () => true, nowMs: 10_000 };
  const copy = (more: Partial<RowCopy> = {}): RowCopy => ({
    bootId: 'boot',
    seq: 10,
    reportedAtMs: 9_900,
    ...more,
  });

  it('are divided among the live Heralds, each row at exactly one', () => {
    const all = heralds.flatMap((heraldId) =>
      createHomeRows().choose({ ...base, heraldId, copyOf: () => copy() }),
    );
    expect(all.length).toBe(60);
    expect(new Set(all.map(({ gateway }) => gateway)).size).toBe(60);
  });

  it('go to the others when a Herald leaves', () => {
    const gone = rows.filter(({ gateway }) => rendezvousOwner(gateway, heralds) === 'c');
    const left = ['a', 'b'].flatMap((heraldId) =>
      createHomeRows().choose({ ...base, heralds: ['a', 'b'], heraldId, copyOf: () => copy() }),
    );
    expect(gone.length).toBeGreaterThan(0);
    expect(gone.filter((one) => !left.includes(one))).toEqual([]);
  });

  it('of others are written when the home copy is both behind and old', () => {
    const foreign = rows.filter(({ gateway }) => rendezvousOwner(gateway, heralds) !== 'a').length;
    const chosen = (copyOf: RowCopy): number => {
      const all = createHomeRows().choose({ ...base, heraldId: 'a', copyOf: () => copyOf });
      return all.filter(({ gateway }) => rendezvousOwner(gateway, heralds) !== 'a').length;
    };
    expect(chosen(copy({ seq: 9, reportedAtMs: 7_600 }))).toBe(0);
    expect(chosen(copy({ seq: 9, reportedAtMs: 7_400 }))).toBe(foreign);
    // Old because the gateway is silent, not because its home is deaf.
    expect(chosen(copy({ seq: 10, reportedAtMs: 1_000 }))).toBe(0);
    expect(chosen(copy({ bootId: 'other', seq: 99, reportedAtMs: 1_000 }))).toBe(foreign);
  });

  it('of a gateway without boot ids are written when the home copy is old, for its numbers may have begun anew', () => {
    const one = { ...rows.find(({ gateway }) => rendezvousOwner(gateway, heralds) === 'b')!, bootId: '' };
    const chosen = (seq: number): number => {
      const known = copy({ bootId: '', seq, reportedAtMs: 7_000 });
      return createHomeRows().choose({ ...base, rows: [one], heraldId: 'a', copyOf: () => known }).length;
    };
    expect([chosen(5_000), chosen(10)]).toEqual([1, 0]);
  });

  it('of others are written when the home has had none for long enough, and no longer once it has', () => {
    const home = createHomeRows();
    const one = rows.find(({ gateway }) => rendezvousOwner(gateway, heralds) === 'b')!;
    const choose = (nowMs: number, known?: RowCopy) =>
      home.choose({ ...base, rows: [one], heraldId: 'a', nowMs, copyOf: () => known }).length;
    expect(choose(10_000)).toBe(0);
    expect(choose(12_500)).toBe(0);
    expect(choose(12_501)).toBe(1);
    expect(choose(12_600, copy())).toBe(0);
    expect(choose(12_700)).toBe(0);
  });

  it('never echo what was learnt from another Herald', () => {
    const chosen = createHomeRows().choose({
      ...base,
      heraldId: 'a',
      heralds: ['a'],
      heard: ({ gateway }) => gateway === 'gw-7',
      copyOf: () => undefined,
    });
    expect(chosen.map(({ gateway }) => gateway)).toEqual(['gw-7']);
  });
});

describe('copies of other Heralds’ parts', () => {
  const stamp = { version: 1, modifiedMs: 5_000, clockEpoch: 1, owner: '' };
  const own = { modifiedMs: 6_000, clockEpoch: 1, sentAtMs: 0, roundTripMs: 1 };
  const entry = (rows: TableRow[], more: Partial<Stamp> = {}): Entry => ({
    ...stamp,
    ...more,
    data: encodeTablePart({ v: 1, heraldId: 'b', bootId: 'x', rows }),
  });
  /** Copies beside a balancer that knows `known`. */
  const copiesBeside = (...known: TableRow[]) => {
    const byGateway = new Map(known.map((one) => [one.gateway, one]));
    const copies = createTableCopies((gateway) => byGateway.get(gateway));
    const take = (part: Entry, ownWrite: OwnWrite | undefined, nowMs: number) => {
      const taken = copies.take('b.0', part, ownWrite, nowMs);
      return taken?.ok === true ? taken.value : undefined;
    };
    return { copies, take };
  };

  it('add the age of the part to the age of each row', () => {
    const taken = copiesBeside().take(entry([row('g', { ageMs: 300 })]), own, 0);
    expect(taken?.[0]?.ageMs).toBe(1_300);
  });

  it('count as too old to be named when nothing tells their age', () => {
    const taken = copiesBeside().take(entry([row('g')]), undefined, 0);
    expect(taken?.[0]?.ageMs).toBe(UNKNOWN_AGE_MS);
  });

  it('give nothing twice, and a bound after a change of leader while the watch stood', () => {
    const { copies, take } = copiesBeside();
    take(entry([row('g')]), own, 0);
    expect(take(entry([row('g')]), own, 800)).toBeUndefined();
    const later = { version: 2, clockEpoch: 2, modifiedMs: 99 };
    expect(take(entry([row('g', { seq: 2 })], later), own, 1_000)?.[0]?.ageMs).toBe(200);
    copies.unwatched();
    const after = { ...later, version: 3 };
    expect(take(entry([row('g', { seq: 3 })], after), own, 2_000)?.[0]?.ageMs).toBe(UNKNOWN_AGE_MS);
  });

  it('tell what was heard from what was learnt', () => {
    const { copies, take } = copiesBeside(row('g', { seq: 6 }), row('h', { seq: 4 }));
    const taken = take(entry([row('g', { seq: 5 }), row('h', { seq: 5 })]), own, 0);
    expect(taken?.map(({ gateway }) => gateway)).toEqual(['h']);
    expect(copies.heard(row('g', { seq: 6 }))).toBe(true);
    expect(copies.heard(row('h', { seq: 5 }))).toBe(false);
    expect(copies.heard(row('h', { seq: 6 }))).toBe(true);
  });

  it('remember of every row, news or not, which report its Herald has and when that was made', () => {
    const { copies, take } = copiesBeside(row('g', { seq: 6 }));
    take(entry([row('g', { seq: 5, ageMs: 300 }), row('h', { seq: 9, ageMs: 100 })]), own, 2_000);
    expect(copies.copyOf('b', 'g')).toEqual({ bootId: 'boot', seq: 5, reportedAtMs: -1_300 });
    expect(copies.copyOf('b', 'h')).toEqual({ bootId: 'boot', seq: 9, reportedAtMs: -1_100 });
    expect(copies.copyOf('a', 'g')).toBeUndefined();
    take(entry([row('h', { seq: 9 })], { version: 2 }), own, 3_000);
    expect(copies.copyOf('b', 'g')).toBeUndefined();
  });

  it('of a part that nobody can read stay known by name, without rows', () => {
    const { copies, take } = copiesBeside(row('g', { seq: 6 }));
    take(entry([row('g')]), own, 0);
    const broken = { ...entry([row('g')], { version: 2 }), data: '{' };
    expect(copies.take('b.0', broken, own, 0)).toMatchObject({ ok: false, refusal: { field: 'part' } });
    expect(copies.parts()).toEqual([{ name: 'b.0', heraldId: 'b', version: 2 }]);
    expect(copies.copyOf('b', 'g')).toBeUndefined();
  });
});

describe('orphan parts', () => {
  const parts = [
    { name: 'dead.0', heraldId: 'dead', version: 4 },
    { name: 'a.0', heraldId: 'a', version: 1 },
  ];

  it('are found after a minute of unbroken absence, by one Herald after the other', () => {
    const first = createOrphanWatch();
    const second = createOrphanWatch();
    const find = (watch: typeof first, id: string, nowMs: number) => watch.find(parts, id, ['a', 'b'], nowMs);
    expect(find(first, 'a', 0)).toEqual([]);
    find(second, 'b', 0);
    expect(find(first, 'a', 59_999)).toEqual([]);
    expect(find(first, 'a', 60_000)).toEqual([parts[0]]);
    expect(find(second, 'b', 60_000)).toEqual([]);
    expect(find(second, 'b', 65_000)).toEqual([parts[0]]);
  });

  it('count anew when the Herald comes back or the view was broken', () => {
    const watch = createOrphanWatch();
    watch.find(parts, 'a', ['a'], 0);
    watch.find(parts, 'a', ['a', 'dead'], 30_000);
    expect(watch.find(parts, 'a', ['a'], 61_000)).toEqual([]);
    watch.restart();
    expect(watch.find(parts, 'a', ['a'], 200_000)).toEqual([]);
    expect(watch.find(parts, 'a', ['a'], 260_000)).toEqual([parts[0]]);
  });
});
