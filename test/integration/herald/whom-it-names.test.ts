// What docs/policy.md promises of a single lookup, over HTTP with real reporters: who is named, who is left out
// and why.

import { afterEach, expect, test } from 'vitest';
import type { LookupReply } from '../../../src/protocol/lookup.ts';
import { decodeTicket, encodeTicket } from '../../../src/protocol/ticket.ts';
import { ask, send } from './one-herald.ts';
import type { Refusal, ReportedFleet } from './reported-fleet.ts';
import { reportedFleet } from './reported-fleet.ts';

let fleet: ReportedFleet;
afterEach(() => fleet.close());

test('a lookup stays in its zone until elsewhere is better by more than 0.1', async () => {
  fleet = await reportedFleet();
  const near = await fleet.gateway('near', { cpu: 0.35 }, { zone: 'eu' });
  await fleet.gateway('far', { cpu: 0.3 }, { zone: 'us' });
  expect(await fleet.mostly('zone=eu')).toBe('near');
  expect(await fleet.mostly('zone=us')).toBe('far');
  expect(await fleet.mostly()).toBe('far');
  await near({ cpu: 0.5 });
  expect(await fleet.mostly('zone=eu')).toBe('far');
});

test('labels are required or preferred by their weight; a client names whom it does not want', async () => {
  fleet = await reportedFleet();
  await fleet.gateway('gold', { cpu: 0.45 }, { labels: { tier: 'gold' } });
  await fleet.gateway('plain', { cpu: 0.3 });
  expect(await fleet.mostly('label=tier=gold')).toBe('gold');
  expect(await fleet.mostly('prefer=tier=gold@0.3')).toBe('gold');
  expect(await fleet.mostly('prefer=tier=gold@0.05')).toBe('plain');
  expect(await fleet.mostly('exclude=plain')).toBe('gold');
});

test('a refusal says which filter removed whom', async () => {
  fleet = await reportedFleet();
  await fleet.gateway('plain', { cpu: 0.1 });
  await fleet.gateway('gold-1', { cpu: 0.1 }, { labels: { tier: 'gold' } });
  await fleet.gateway('gold-2', { cpu: 0.1 }, { labels: { tier: 'gold' } });
  await fleet.gateway(
    'full',
    { cpu: 0.1, connections: 100, maxConnections: 100 },
    { labels: { tier: 'gold' } },
  );
  await fleet.gateway('other', { cpu: 0.1 }, { pool: 'chat' });
  await send(fleet.admin('/v1/gateways/gold-2/drain'), { reason: 'kernel' });
  for (let i = 0; i < 20; i++) expect((await fleet.lookup('label=tier=gold')).gateway).toBe('gold-1');
  const { code, detail, refused } = await fleet.refusal('label=tier=gold&exclude=gold-1');
  expect({ code, refused }).toEqual({
    code: 'none-eligible',
    refused: { label: 1, excluded: 1, draining: 1, full: 1 },
  });
  for (const words of ['label 1 (plain)', 'excluded 1 (gold-1)', 'draining 1 (gold-2)', 'full 1 (full)']) {
    expect(detail).toContain(words);
  }
});

test('only with a ticket that Herald signed does the word of a client speak against a gateway', async () => {
  fleet = await reportedFleet();
  for (const id of ['a', 'b', 'c', 'd']) await fleet.gateway(id, { cpu: 0.3 });
  const { gateway, ticket } = await fleet.lookup();
  const breaker = async (): Promise<string> =>
    (await fleet.asked<{ breaker: string }>(`/v1/gateways/${gateway}`)).breaker;
  const tell = (failed: string) => fleet.lookup(`exclude=${gateway}&failed=${failed}`);
  const one = decodeTicket(ticket);
  if (!one.ok) throw new Error(ticket);
  // Numbers follow each other.
  for (let i = 1; i < 32; i++) await tell(encodeTicket({ ...one.value, seq: one.value.seq + i }));
  expect(await breaker()).toBe('closed');
  await tell(ticket);
  for (let i = 0; i < 400 && (await breaker()) === 'closed'; i++) {
    const pick = await fleet.lookup();
    if (pick.gateway === gateway) await tell(pick.ticket);
  }
  expect(await breaker()).toBe('open');
});

test('a key stays with its gateway, leaves it when that drains, and comes back', async () => {
  fleet = await reportedFleet();
  for (const id of ['a', 'b', 'c']) await fleet.gateway(id, { cpu: 0.3 });
  // Among others: a key that is most of the traffic would be spread over two.
  const homes = async (): Promise<string[]> => {
    const named = new Set<string>();
    for (let i = 0; i < 6; i++) {
      for (let others = 0; others < 12; others++) await fleet.lookup();
      named.add((await fleet.lookup('key=room-7')).gateway);
    }
    return [...named];
  };
  const [owner, ...none] = await homes();
  expect(none).toEqual([]);
  await send(fleet.admin(`/v1/gateways/${owner!}/drain`), {});
  const heirs = await homes();
  expect(heirs).toHaveLength(1);
  expect(heirs).not.toContain(owner);
  await send(fleet.admin(`/v1/gateways/${owner!}/ready`), {});
  expect(await homes()).toEqual([owner]);
});

test('a full fleet tells every caller its own time to come back', async () => {
  fleet = await reportedFleet();
  for (const id of ['a', 'b']) await fleet.gateway(id, { cpu: 0.97 });
  const waits = new Set<number>();
  for (let i = 0; i < 20; i++) {
    const { code, retryAfterMs = 0, retryAfter } = await fleet.refusal();
    expect(code).toBe('overloaded');
    expect(retryAfter).toBe(Math.max(1, Math.ceil(retryAfterMs / 1_000)));
    waits.add(retryAfterMs);
  }
  expect(waits.size).toBeGreaterThan(15);
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_000);
});

test('a pool has its own rate of lookups and its own policy', async () => {
  fleet = await reportedFleet({ lookupsPerSec: 1, lookupBurst: 6, poolPolicies: ['chat=round-robin'] });
  for (const id of ['a', 'b']) await fleet.gateway(id, { cpu: id === 'a' ? 0.1 : 0.5 });
  for (const id of ['c', 'd']) await fleet.gateway(id, { cpu: id === 'c' ? 0.1 : 0.5 }, { pool: 'chat' });
  const turns: string[] = [];
  for (let i = 0; i < 4; i++) turns.push((await fleet.lookup('pool=chat')).gateway);
  expect(turns.slice(0, 2).sort()).toEqual(['c', 'd']);
  expect(turns.slice(2)).toEqual(turns.slice(0, 2));
  const busy: string[] = [];
  let limited: Refusal | undefined;
  while (!limited) {
    const { status, text } = await ask(`${fleet.herald.addresses.public}/v1/lookup`);
    if (status === 200) busy.push((JSON.parse(text) as LookupReply).gateway);
    else limited = await fleet.refusal();
    if (busy.length > 50) throw new Error('never limited');
  }
  expect(limited.code).toBe('rate-limited');
  expect(busy.filter((id) => id === 'b').length).toBeLessThan(3);
  expect((await fleet.lookup('pool=chat')).gateway).toMatch(/c|d/);
});
