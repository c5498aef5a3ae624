import { describe, expect, it } from 'vitest';
import { PingWheel } from '../../../src/gateway/core/ping-wheel.ts';

describe('the ping wheel', () => {
  it('visits each member once a turn, also after others left', () => {
    let seed = 1;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const wheel = new PingWheel<{ slot: number; indexInSlot: number; name: number }>(10, random);
    const members = Array.from({ length: 100 }, (_, name) => ({ slot: -1, indexInSlot: 0, name }));
    for (const member of members) wheel.add(member);
    for (const member of members) if (member.name % 3 === 0) wheel.remove(member);
    wheel.remove(members[0]!);
    const seen = Array.from({ length: 10 }, () => wheel.turn()).flat();
    const expected = members.filter(({ name }) => name % 3 !== 0);
    expect(seen.map(({ name }) => name).sort()).toEqual(expected.map(({ name }) => name).sort());
    expect(seen).toHaveLength(new Set(seen).size);
  });
});
