// What one decision costs: the production core at 20, 1,000 and 10,000 gateways against a linear scan for
// the least expected load in the same run; the price of explain; report ingest; odd questions; tickets.
//   node scripts/run-ts.mjs bench/decision.ts

import { createHmac } from 'node:crypto';
import { deriveKey } from '../src/daemon/secrets.ts';
import { TicketKey } from '../src/daemon/ticket-key.ts';
import { createBalancer } from '../src/herald/core/balancer.ts';
import { settingsOf } from '../src/herald/core/balancer-options.ts';
import { CandidateView } from '../src/herald/core/candidate-view.ts';
import { expectedLoad } from '../src/herald/core/expected-load.ts';
import {
  BASE,
  COST,
  GatewaySlots,
  LATE_AFTER,
  OPEN,
  STALE_AFTER,
  STRIDE,
  YOUNG,
} from '../src/herald/core/gateway-slots.ts';
import { LookupFilter } from '../src/herald/core/lookup-filter.ts';
import { Offers } from '../src/herald/core/offers.ts';
import { expectedPolicy } from '../src/herald/core/policies/expected.ts';
import type { Question } from '../src/herald/core/policies/policy.ts';
import { Pool } from '../src/herald/core/pool.ts';
import { TICKET_RUN, TicketsInFlight } from '../src/herald/core/tickets.ts';
import type { LoadReport } from '../src/protocol/load-report.ts';
import type { LookupRequest } from '../src/protocol/lookup.ts';
import { DEFAULT_LOOKUP } from '../src/protocol/lookup.ts';
import { seededRandom } from '../src/sim/chance.ts';

const random = seededRandom(1);
const REPEATS = 5;

/** CPU us per call: the median of five rounds, so that a neighbour's burst does not count. */
function cpuUs(calls: number, run: (i: number) => void): number {
  for (let i = 0; i < Math.min(calls, 20_000); i++) run(i);
  const rounds: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const before = process.cpuUsage();
    for (let i = 0; i < calls; i++) run(i);
    const { user, system } = process.cpuUsage(before);
    rounds.push((user + system) / calls);
  }
  return rounds.sort((a, b) => a - b)[REPEATS >> 1]!;
}

function report(index: number, seq: number): LoadReport {
  return {
    v: 1,
    kind: 'full',
    gateway: `gw-${index}`,
    url: `ws://gw-${index}.test/ws`,
    bootId: 'b',
    seq,
    periodMs: 500,
    pool: 'default',
    zone: '',
    labels: {},
    capacity: 1,
    state: 'up',
    cpu: 0.3 + 0.3 * random(),
    connections: 3_000,
    youngConnections: 20,
    acceptedTotal: 3_000 + seq,
    tickets: { h1: { admitted: seq } },
  };
}

const request: LookupRequest = { ...DEFAULT_LOOKUP, alternates: 0 };

/** The decision alone: eight draws, eight expected loads, the least. */
function bareDecision(count: number): { pickUs: number; scanUs: number } {
  const slots = new GatewaySlots();
  for (let i = 0; i < count; i++) {
    const at = slots.add(`gw-${i}`, 0).slot * STRIDE;
    slots.hot[at + OPEN] = 1;
    slots.hot[at + STALE_AFTER] = 2_000;
    slots.hot[at + LATE_AFTER] = 1_500;
    slots.hot[at + BASE] = 0.3 + 0.3 * random();
    slots.hot[at + COST] = 0.0002;
    slots.hot[at + YOUNG] = 20;
  }
  const members = Array.from({ length: count }, (_, i) => i);
  const everybody = { labels: {}, wishes: [] };
  const view = new CandidateView(slots, members, everybody, { version: 0, maxCapacityRatio: 16, turn: 0 });
  const filter = new LookupFilter(slots, new TicketsInFlight(slots, 1));
  const pool = new Pool('default', 1, settingsOf({ heraldId: 'h1', random }).poolPolicy('default'), slots);
  filter.aim({ number: 0, request, pool, nowMs: 0 }, undefined, false);
  const factors = { pending: 0.95, handshake: 0.002 };
  const nobodyTooMany = {
    mostAssigned: Infinity,
    admit: 0.9,
    alternates: 0,
    weights: undefined,
    obeysBreakers: true,
  };
  const question: Question = { slots, view, filter, factors, random, nowMs: 0, draws: 8, ...nobodyTooMany };
  const offers = new Offers();
  let kept = 0;
  const pickUs = cpuUs(300_000, () => {
    offers.clear();
    expectedPolicy.offer(question, offers);
    kept += offers.slots[offers.least()]!;
  });
  const scanUs = cpuUs(Math.max(200, Math.round(4e6 / count)), () => {
    let best = -1;
    let least = Infinity;
    for (const slot of view.slots) {
      if (!filter.allows(slot)) continue;
      const load = expectedLoad(slots.hot, slot * STRIDE, factors, 0);
      if (load < least) [best, least] = [slot, load];
    }
    kept += best;
  });
  if (!Number.isFinite(kept)) throw new Error('a decision was not made');
  return { pickUs, scanUs };
}

/** The whole of `lookup`: rules, ticket, books, identity; with and without the explain ring. */
function wholeLookup(count: number, explainLookups: number): number {
  const balancer = createBalancer({
    heraldId: 'h1',
    random,
    explainLookups,
    // Nobody connects here, so nothing that is on its way may count as load.
    defaultPool: { handshakeSeconds: 0, admitScore: Infinity },
  });
  for (let i = 0; i < count; i++) balancer.report(report(i, 1), 0);
  let named = 0;
  const us = cpuUs(100_000, () => {
    if (balancer.lookup(request, 50).ok) named++;
  });
  if (named === 0) throw new Error('every lookup was refused');
  return us;
}

/** Of clients that ask for what nobody has, or for something new each time. None may cost a look at every gateway. */
const ODD_QUESTIONS: Record<string, { cpu: number; ask: (i: number) => Partial<LookupRequest> }> = {
  'a label nobody has': { cpu: 0.3, ask: (i) => ({ labels: { disk: `none-${i}` } }) },
  'a zone nobody has': { cpu: 0.3, ask: (i) => ({ zone: `none-${i}` }) },
  'a wish of a new weight': {
    cpu: 0.3,
    ask: (i) => ({ preferred: [{ key: 'disk', value: 'ssd', weight: (i % 9_973) / 9_973 }] }),
  },
  'one of a thousand tenants': { cpu: 0.3, ask: (i) => ({ labels: { tenant: String(i % 1_000) } }) },
  'labels combined anew': { cpu: 0.3, ask: (i) => ({ labels: combined(i) }) },
  'the same, of a full pool': { cpu: 0.97, ask: (i) => ({ labels: combined(i) }) },
  'anybody, where all are at their hard cap': { cpu: 0, ask: () => ({}) },
  'anybody but two, of a full pool': { cpu: 0.97, ask: (i) => ({ exclude: [`gw-${i % 500}`, 'gw-501'] }) },
};

const BITS = 13;

/** Each bit of the gateway's number is a label. */
function bitsOf(index: number): [string, string][] {
  return Array.from({ length: BITS }, (_, place) => [`bit${place}`, String((index >> place) & 1)]);
}

/** Two to five of them, in a few thousand ways. */
function combined(i: number): Record<string, string> {
  const kind = Math.imul(i, 0x9e3779b1) >>> 0;
  return Object.fromEntries(bitsOf(kind >>> 8).filter((_, place) => ((kind >>> place) & 3) === 0));
}

function oddLookup(count: number, { cpu, ask }: (typeof ODD_QUESTIONS)[string]): number {
  const defaultPool = { handshakeSeconds: 0, admitScore: cpu > 0.9 ? 0.9 : Infinity };
  const balancer = createBalancer({ heraldId: 'h1', random, defaultPool });
  for (let i = 0; i < count; i++) {
    const labels = {
      disk: i % 2 === 0 ? 'ssd' : 'hdd',
      tenant: String(i % 1_000),
      ...Object.fromEntries(bitsOf(i)),
    };
    const cap = cpu === 0 ? { maxConnections: 1 } : {};
    balancer.report({ ...report(i, 1), cpu, periodMs: 60_000, labels, ...cap }, 0);
  }
  let nowMs = 50;
  return cpuUs(3_000, (i) => balancer.lookup({ ...request, ...ask(i) }, (nowMs += 0.1)));
}

function ingest(count: number): number {
  const balancer = createBalancer({ heraldId: 'h1', random });
  let seq = 0;
  const reports = Array.from({ length: count }, (_, i) => report(i, 0));
  return cpuUs(100_000, (i) => {
    const one = reports[i % count]!;
    one.seq = ++seq;
    balancer.report(one, seq / 10);
  });
}

const rows = [20, 1_000, 10_000].map((gateways) => {
  const { pickUs, scanUs } = bareDecision(gateways);
  const bare = wholeLookup(gateways, 0);
  const explained = wholeLookup(gateways, 10_000);
  return {
    gateways,
    'decision us': pickUs.toFixed(2),
    'decisions/s': Math.round(1e6 / pickUs),
    'scan us': scanUs.toFixed(2),
    'scan/decision': (scanUs / pickUs).toFixed(1),
    'lookup() us': bare.toFixed(2),
    'explain adds us': (explained - bare).toFixed(2),
    'report us': ingest(gateways).toFixed(2),
  };
});
console.table(rows);
console.table(
  Object.entries(ODD_QUESTIONS).map(([what, question]) => ({
    'us of a lookup that asks for': what,
    'at 1,000': oddLookup(1_000, question).toFixed(1),
    'at 10,000': oddLookup(10_000, question).toFixed(1),
  })),
);

const gatewayKey = deriveKey('a bench secret of 30 characters', 'ticket', 'gw-1');
const key = new TicketKey(gatewayKey, 'h1');
const hmacUs = cpuUs(100_000, (i) =>
  createHmac('sha256', gatewayKey).update(`t1\ngw-1\nh1\n${i}\n123456`).digest('base64url'),
);
const aloneUs = cpuUs(100_000, (i) => key.sign(i, 1, 123_456));
const runUs = cpuUs(50_000, (i) => key.sign(TICKET_RUN * i, TICKET_RUN, 123_456));
console.log(
  `a ticket's signature: ${aloneUs.toFixed(2)} us alone, ${(runUs / TICKET_RUN).toFixed(2)} us in a run of ${TICKET_RUN}, ` +
    `${hmacUs.toFixed(2)} us by HMAC-SHA-256 of node:crypto`,
);
