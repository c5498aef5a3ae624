import { describe, expect, it } from 'vitest';
import { GatewaySlots, INVERSE_CAPACITY, OPEN, STRIDE } from '../../../src/herald/core/gateway-slots.ts';
import { PoolViews } from '../../../src/herald/core/pool-views.ts';

/** A pool whose gateways are counted each time one is looked at. */
function given(
  count: number,
  labelsOf: (i: number) => Record<string, string> = (i) => ({ disk: i === 7 ? 'ssd' : 'hdd' }),
): { views: PoolViews; looksAt: (ask: () => unknown) => number; add: typeof add; remove: typeof remove } {
  const slots = new GatewaySlots();
  const members = new Set<number>();
  const views = new PoolViews(slots, members, 0);
  const looked = new Set<number>();
  const looksAt = (ask: () => unknown): number => {
    looked.clear();
    ask();
    return looked.size;
  };
  function add(labels: Record<string, string>): void {
    const record = slots.add(`gw-${members.size}`, 0);
    Object.assign(record, { zone: 'eu' });
    Object.defineProperty(record, 'labels', { get: () => (looked.add(record.slot), labels) });
    slots.hot[record.slot * STRIDE + OPEN] = 1;
    slots.hot[record.slot * STRIDE + INVERSE_CAPACITY] = 1;
    members.add(record.slot);
    views.joined(record);
    views.changed();
  }
  function remove(slot: number): void {
    members.delete(slot);
    views.left(slots.records[slot]!);
    views.changed();
  }
  for (let i = 0; i < count; i++) add(labelsOf(i));
  return { views, looksAt, add, remove };
}

describe('views of a pool', () => {
  it('cost no look for labels and wishes that nobody meets', () => {
    const { views, looksAt } = given(1_000);
    const looks = looksAt(() => {
      for (let i = 0; i < 500; i++) {
        expect(views.of({ disk: `none-${i}` }, 0).size).toBe(0);
        expect(views.met([{ key: `wish-${i}`, value: 'x', weight: 0.1 }])).toEqual([]);
        expect(views.met([{ key: undefined, value: `zone-${i}`, weight: 0.1 }])).toEqual([]);
      }
    });
    expect(looks).toBe(0);
  });

  it('cost a look at those with the rarest label, however many labels there are', () => {
    const { views, looksAt } = given(10_000, (i) => ({ tenant: String(i % 1_000), disk: 'ssd' }));
    for (let i = 0; i < 1_000; i++) {
      const looks = looksAt(() => expect(views.of({ disk: 'ssd', tenant: String(i) }, 0).size).toBe(10));
      expect(looks).toBe(10);
    }
  });

  it('cost a look at few where many have the labels, but for one in 50 ms, and hold who has them', () => {
    const bit = (i: number, place: number): string => String((i >> place) & 1);
    const bits = Array.from({ length: 10 }, (_, place) => place);
    const { views, looksAt } = given(10_000, (i) =>
      Object.fromEntries(bits.map((place) => [`bit${place}`, bit(i, place)])),
    );
    const ask = (i: number, nowMs: number): number => {
      const labels = Object.fromEntries(
        bits.slice(0, 1 + (i % 4)).map((place) => [`bit${place}`, bit(i, place)]),
      );
      const { slots } = views.of({ ...labels, bit9: bit(i, 9) }, nowMs);
      for (const slot of slots)
        for (const key in labels) expect(bit(slot, Number(key.slice(3)))).toBe(labels[key]);
      return slots.length;
    };
    expect(looksAt(() => ask(1, 0))).toBeGreaterThan(4_000);
    for (let i = 2; i < 60; i++) {
      let found = 0;
      expect(looksAt(() => (found = ask(i, i % 50)))).toBeLessThanOrEqual(128);
      expect(found).toBeGreaterThan(0);
    }
    expect(looksAt(() => ask(1_023, 50))).toBeGreaterThan(4_000);
  });

  it('show others to those who ask again while there is no time to look at all', () => {
    const { views } = given(10_000, () => ({ a: '1', b: '1' }));
    views.of({ a: '1' }, 0);
    const met = new Set<number>();
    for (let i = 0; i < 100; i++) for (const slot of views.of({ b: '1' }, 1).slots) met.add(slot);
    expect(met.size).toBeGreaterThan(7_000);
  });

  it('are the same for every weight of a wish', () => {
    const { views } = given(20);
    const wish = { key: 'disk', value: 'ssd' };
    const first = views.of({}, 0, [{ ...wish, weight: 0.1 }]);
    for (let i = 1; i < 200; i++) expect(views.of({}, 0, [{ ...wish, weight: i / 200 }])).toBe(first);
  });

  it('cost one look in 50 ms for wishes that many meet, and are known at once where few do', () => {
    const { views, looksAt } = given(1_000);
    const wish = (key: string, value: string) => ({ key, value, weight: 0.1 });
    const [hdd, ssd, other] = [wish('disk', 'hdd'), wish('disk', 'ssd'), wish('disk', 'nvme')];
    expect(views.of({}, 0, [hdd]).size).toBe(999);
    for (const wishes of [
      [hdd, ssd],
      [ssd, hdd],
      [other, hdd],
    ]) {
      expect(looksAt(() => expect(views.of({}, 10, wishes).size).toBe(0))).toBe(0);
    }
    expect(looksAt(() => expect(views.of({}, 10, [hdd]).size).toBe(999))).toBe(0);
    expect(looksAt(() => expect(views.of({}, 10, [ssd]).size).toBe(1))).toBeLessThan(4);
    expect(looksAt(() => expect(views.of({}, 10, [ssd, other]).size).toBe(1))).toBeLessThan(4);
    expect(views.of({}, 50, [ssd, hdd]).size).toBe(1_000);
  });

  it('forgive a gateway the weights of the wishes it meets, and of no others', () => {
    const { views } = given(20);
    const wishes = [
      { key: 'disk', value: 'ssd', weight: 0.1 },
      { key: 'disk', value: 'nvme', weight: 0.2 },
      { key: undefined, value: 'eu', weight: 0.4 },
    ];
    const view = views.of({}, 0, wishes);
    const weights = wishes.map(({ weight }) => weight);
    expect(view.size).toBe(20);
    const forgiven = Array.from(view.slots, (_, index) => view.forgiven(index, weights));
    expect(forgiven.filter((load) => load === 0.5)).toHaveLength(1);
    expect(forgiven.filter((load) => load === 0.4)).toHaveLength(19);
  });

  it.each([20, 600])('know a label that came with a new member at once, among %d', (count) => {
    const { views, add } = given(count);
    expect(views.of({ disk: 'nvme' }, 0).size).toBe(0);
    add({ disk: 'nvme' });
    expect(views.of({ disk: 'nvme' }, 0).size).toBe(1);
    expect(views.met([{ key: 'disk', value: 'nvme', weight: 0.1 }])).toHaveLength(1);
  });

  it('are built anew with each change of a small pool, and at most every 50 ms in a large one', () => {
    for (const [count, isKept] of [
      [20, false],
      [600, true],
    ] as const) {
      const { views } = given(count);
      for (const labels of [{}, { disk: 'hdd' }]) {
        const first = views.of(labels, 0);
        expect(views.of(labels, 10)).toBe(first);
        views.changed();
        expect(views.of(labels, 49) === first).toBe(isKept);
        expect(views.of(labels, 50)).not.toBe(first);
      }
    }
  });

  it('name nobody for a label whose last gateway went', () => {
    const { views, remove } = given(20);
    expect(views.of({ disk: 'ssd' }, 0).size).toBe(1);
    remove(7);
    expect(views.of({ disk: 'ssd' }, 0).size).toBe(0);
    expect(views.met([{ key: 'disk', value: 'ssd', weight: 0.1 }])).toEqual([]);
  });

  it('keep 128 kinds, the newest', () => {
    const { views } = given(200, (i) => ({ host: String(i) }));
    const first = views.of({ host: '0' }, 0);
    for (let i = 1; i < 128; i++) views.of({ host: String(i) }, 0);
    expect(views.of({ host: '0' }, 0)).toBe(first);
    views.of({ host: '128' }, 0);
    expect(views.of({ host: '0' }, 0)).not.toBe(first);
  });
});
