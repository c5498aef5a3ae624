import { describe, expect, it } from 'vitest';
import { GatewaySlots, PENDING, STRIDE } from '../../../src/herald/core/gateway-slots.ts';
import { TICKET_RUN, TicketsInFlight } from '../../../src/herald/core/tickets.ts';
import { aBalancer, aLookup, aReport, HERALD } from './given.ts';

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

describe('tickets in flight', () => {
  function given() {
    const slots = new GatewaySlots();
    const tickets = new TicketsInFlight(slots, 1);
    const overdue: [slot: number, count: number, atMs: number][] = [];
    const ranOut: [slot: number, count: number, atMs: number][] = [];
    const rollTo = (untilMs: number): void => {
      for (let nowMs = 0; nowMs <= untilMs; nowMs += 100) {
        tickets.roll(
          nowMs,
          (slot, count) => overdue.push([slot, count, nowMs]),
          (slot, count) => ranOut.push([slot, count, nowMs]),
        );
      }
    };
    return {
      tickets,
      overdue,
      ranOut,
      rollTo,
      pending: (slot: number) => slots.hot[slot * STRIDE + PENDING]!,
    };
  }

  it('weigh by their size until they are confirmed', () => {
    const { tickets, pending } = given();
    for (const size of [2, 4, 100]) tickets.issue(3, size);
    expect([tickets.count(3), pending(3)]).toEqual([3, 106]);
    expect(tickets.confirm(3, 1)).toEqual({ coming: 1, overdue: 0 });
    expect(pending(3)).toBeCloseTo((106 * 2) / 3);
    expect(tickets.confirm(3, 5)).toEqual({ coming: 2, overdue: 0 });
    expect([tickets.count(3), pending(3)]).toEqual([0, 0]);
  });

  it('are overdue after two periods and half a second, and run out after ten seconds', () => {
    const { tickets, overdue, ranOut, rollTo, pending } = given();
    rollTo(0);
    tickets.issue(1, 1);
    tickets.issue(1, 1);
    rollTo(9_900);
    expect([overdue, ranOut]).toEqual([[[1, 2, 1_600]], []]);
    expect([tickets.coming(1), tickets.count(1), pending(1)]).toEqual([0, 2, 0]);
    tickets.roll(
      10_000,
      () => {},
      (slot, count) => ranOut.push([slot, count, 10_000]),
    );
    expect(ranOut).toEqual([[1, 2, 10_000]]);
    expect(tickets.count(1)).toBe(0);
  });

  it('are on their way for as long as the period of their gateway says, also when that changes', () => {
    const { tickets, overdue, rollTo, pending } = given();
    rollTo(0);
    tickets.expectReports(1, 2_000);
    tickets.issue(1, 1);
    rollTo(2_000);
    expect([overdue, tickets.coming(1)]).toEqual([[], 1]);
    tickets.expectReports(1, 500);
    expect([tickets.coming(1), pending(1)]).toEqual([0, 0]);
    tickets.expectReports(1, 2_000);
    expect([tickets.coming(1), pending(1)]).toEqual([1, 1]);
  });

  it('of a process that is gone do not run out, beside those of the next one', () => {
    const { tickets, ranOut, rollTo } = given();
    rollTo(0);
    for (let i = 0; i < 3; i++) tickets.issue(2, 1);
    tickets.drop(2);
    tickets.issue(2, 1);
    rollTo(10_000);
    expect(ranOut).toEqual([[2, 1, 10_000]]);
  });
});

describe('the share of tickets that connect', () => {
  it('is not lowered by those that a gateway reports late', () => {
    const balancer = aBalancer();
    let admitted = 0;
    let lookupId = '';
    for (let nowMs = 0; nowMs <= 30_000; nowMs += 100) {
      // A report in 1.9 s, where two a second are due: a fifth of the tickets is overdue by then.
      if (nowMs % 1_900 === 0) {
        balancer.report(aReport('a', { seq: 1 + nowMs, tickets: { [HERALD]: { admitted } } }), nowMs);
      }
      balancer.tick(nowMs);
      ({ lookupId } = balancer.lookup(aLookup(), nowMs));
      admitted++;
    }
    expect(balancer.explain(lookupId)!.factors.pending).toBeGreaterThan(0.9);
  });
});

it('are confirmed when they are overdue as well', () => {
  const tickets = new TicketsInFlight(new GatewaySlots(), 1);
  const ignore = (): void => {};
  tickets.roll(0, ignore, ignore);
  for (let i = 0; i < 5; i++) tickets.issue(0, 1);
  tickets.roll(3_000, ignore, ignore);
  expect(tickets.confirm(0, 7)).toEqual({ coming: 0, overdue: 5 });
  expect(tickets.count(0)).toBe(0);
});
