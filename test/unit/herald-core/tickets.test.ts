import { expect, it } from 'vitest';
import { GatewaySlots } from '../../../src/herald/core/gateway-slots.ts';
import { TICKET_RUN, TicketsInFlight } from '../../../src/herald/core/tickets.ts';

it('numbers the tickets of a gateway in runs, and no number twice', () => {
  const tickets = new TicketsInFlight(new GatewaySlots(), 1_000_001);
  const seen = new Map<number, number>();
  for (let i = 0; i < 5_000; i++) {
    const slot = (i * i) % 7;
    const seq = tickets.number(slot);
    seen.set(seq, slot);
  }
  expect(seen.size).toBe(5_000);
  expect(Math.min(...seen.keys())).toBeGreaterThanOrEqual(1_000_001);
  const runs = new Map<number, Set<number>>();
  for (const [seq, slot] of seen) {
    const run = Math.floor(seq / TICKET_RUN);
    runs.set(run, (runs.get(run) ?? new Set<number>()).add(slot));
  }
  for (const slots of runs.values()) expect(slots.size).toBe(1);
});

it('remembers for whom each of the last 65,536 tickets was, even of gateways that are rarely named', () => {
  const tickets = new TicketsInFlight(new GatewaySlots(), 1);
  const issued: { seq: number; slot: number }[] = [];
  for (let i = 0; i < 140_000; i++) {
    const slot = i % 20_000;
    issued.push({ seq: tickets.number(slot), slot });
  }
  const wrong = issued
    .slice(-60_000)
    .filter(({ seq, slot }) => tickets.takeFailed(seq) !== slot || tickets.takeFailed(seq) !== -1);
  expect(wrong).toEqual([]);
});
