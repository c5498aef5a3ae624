import { describe, expect, it } from 'vitest';
import { GatewaySlots, INVERSE_CAPACITY, OPEN, STRIDE } from '../../../src/herald/core/gateway-slots.ts';
import { PoolViews } from '../../../src/herald/core/pool-views.ts';

/** Members that count how often somebody looks through all of them. */
class Watched extends Set<number> {
  looks = 0;
  override [Symbol.iterator](): SetIterator<number> {
    this.looks++;
    return super[Symbol.iterator]();
  }
}

function given(count: number): { views: PoolViews; members: Watched; slots: GatewaySlots } {
  const slots = new GatewaySlots();
  const members = new Watched();
  const views = new PoolViews(slots, members, 0);
  for (let i = 0; i < count; i++) add(slots, members, { disk: i === 7 ? 'ssd' : 'hdd' }, 'eu');
  return { views, members, slots };
}

function add(slots: GatewaySlots, members: Set<number>, labels: Record<string, string>, zone: string): void {
  const record = slots.add(`gw-${members.size}`, 0);
  Object.assign(record, { labels, zone });
  slots.hot[record.slot * STRIDE + OPEN] = 1;
  slots.hot[record.slot * STRIDE + INVERSE_CAPACITY] = 1;
  members.add(record.slot);
}

describe('views of a pool', () => {
  it('cost one look for all the labels and wishes that nobody meets, however many are asked for', () => {
    const { views, members } = given(1_000);
    for (let i = 0; i < 500; i++) {
      expect(views.of({ disk: `none-${i}` }, 0).size).toBe(0);
      expect(views.met([{ key: `wish-${i}`, value: 'x', weight: 0.1 }], 0)).toEqual([]);
      expect(views.met([{ key: undefined, value: `zone-${i}`, weight: 0.1 }], 0)).toEqual([]);
    }
    expect(members.looks).toBe(1);
    expect(views.of({ disk: 'ssd' }, 0).size).toBe(1);
    expect(members.looks).toBe(2);
  });

  it('are the same for every weight of a wish', () => {
    const { views } = given(20);
    const wish = { key: 'disk', value: 'ssd' };
    const first = views.of({}, 0, [{ ...wish, weight: 0.1 }]);
    for (let i = 1; i < 200; i++) expect(views.of({}, 0, [{ ...wish, weight: i / 200 }])).toBe(first);
  });

  it('cost one look in 50 ms for wishes combined anew, and none for those that are known', () => {
    const { views, members } = given(1_000);
    const wish = (key: string, value: string) => ({ key, value, weight: 0.1 });
    const [hdd, ssd, other] = [wish('disk', 'hdd'), wish('disk', 'ssd'), wish('disk', 'nvme')];
    expect(views.of({}, 0, [hdd]).size).toBe(999);
    for (const wishes of [[ssd], [hdd, ssd], [ssd, hdd], [other, hdd]])
      expect(views.of({}, 10, wishes).size).toBe(0);
    expect([views.of({}, 10, [hdd]).size, members.looks]).toEqual([999, 1]);
    expect([views.of({}, 50, [ssd, hdd]).size, members.looks]).toEqual([1_000, 2]);
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

  it('know a label that came with a new member: at once in a small pool, within 50 ms in a large one', () => {
    for (const [count, afterMs] of [
      [20, 0],
      [600, 50],
    ] as const) {
      const { views, members, slots } = given(count);
      expect(views.of({ disk: 'nvme' }, 0).size).toBe(0);
      add(slots, members, { disk: 'nvme' }, 'eu');
      views.changed();
      expect(views.of({ disk: 'nvme' }, afterMs).size).toBe(1);
      expect(views.met([{ key: 'disk', value: 'nvme', weight: 0.1 }], afterMs)).toHaveLength(1);
    }
  });

  it('are built anew with each change of a small pool, and at most every 50 ms in a large one', () => {
    for (const [count, isKept] of [
      [20, false],
      [600, true],
    ] as const) {
      const { views } = given(count);
      const first = views.of({}, 0);
      expect(views.of({}, 10)).toBe(first);
      views.changed();
      expect(views.of({}, 49) === first).toBe(isKept);
      expect(views.of({}, 50)).not.toBe(first);
    }
  });

  it('name nobody for a label whose last gateway went', () => {
    const { views, members } = given(20);
    expect(views.of({ disk: 'ssd' }, 0).size).toBe(1);
    members.delete(7);
    views.changed();
    expect(views.of({ disk: 'ssd' }, 0).size).toBe(0);
    expect(views.met([{ key: 'disk', value: 'ssd', weight: 0.1 }], 0)).toEqual([]);
  });
});
