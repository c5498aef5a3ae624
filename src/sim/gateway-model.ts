// A gateway of the simulation: how connections become load, and how load becomes reports. Load is piecewise
// linear between events (a level and a slope), so a step costs the same whatever the number of connections.

import type { LoadReport } from '../protocol/load-report.ts';
import type { YoungConnections } from '../protocol/young-connections.ts';
import { AVERAGING_WINDOW_MS, createYoungConnections } from '../protocol/young-connections.ts';
import type { ReportKind, ReportPace } from '../reporter/core/report-pace.ts';
import { createReportPace } from '../reporter/core/report-pace.ts';
import type { Random } from './chance.ts';
import { normal } from './chance.ts';

export const SAMPLE_MS = 100;
const WINDOW_SAMPLES = AVERAGING_WINDOW_MS / SAMPLE_MS;
const NOISE = 0.015;
/** What makes no report early. */
const UNCHANGED = { load: 0, accepted: 0, connections: 0, capacity: 1 };

export interface GatewayHabits {
  /** CPU seconds of one connect on capacity 1. */
  handshakeSeconds: number;
  /** Whether it sends its counters at once when many have come. */
  earlyReports: boolean;
  /** Whether it reports in full at once when its load has changed much. */
  earlyFull: boolean;
  reportMs: number;
}

export class GatewayModel {
  readonly index: number;
  readonly id: string;
  /** What it really can do, and what it says. */
  readonly capacity: number;
  readonly claimedCapacity = 1;
  up = true;
  /** Cost it has taken on, all ramps finished: what the oracle looks at. */
  committed = 0;
  /** Share of its CPU that something else uses. */
  stolen = 0;
  lies = false;
  /** Rows of its clients; a client knows its place in it. */
  clients: Int32Array = new Int32Array(1 << 10);
  count = 0;
  /** Gateways do not all begin to report at the same moment. */
  reportsFromMs = 0;
  #boot = 0;
  #seq = 0;
  #acceptedTotal = 0;
  readonly #admitted = new Map<string, number>();
  #young: YoungConnections = createYoungConnections();
  #level = 0;
  #slope = 0;
  #levelAtMs = 0;
  #handshakes = 0;
  readonly #window = new Float64Array(WINDOW_SAMPLES);
  #samples = 0;
  readonly #habits: GatewayHabits;
  readonly #random: Random;
  #pace: ReportPace;

  constructor(index: number, capacity: number, habits: GatewayHabits, random: Random) {
    this.index = index;
    this.id = `gw-${String(index + 1).padStart(2, '0')}`;
    this.capacity = capacity;
    this.#habits = habits;
    this.#random = random;
    this.#pace = paceOf(habits, random);
  }

  /** Adds a row to its clients; returns its place among them. */
  join(client: number): number {
    if (this.count === this.clients.length) {
      const larger = new Int32Array(this.count * 2);
      larger.set(this.clients);
      this.clients = larger;
    }
    this.clients[this.count] = client;
    return this.count++;
  }

  /** Takes the row at `place` off; returns the row that fills it from now on. */
  leave(place: number): number {
    const last = this.clients[--this.count]!;
    this.clients[place] = last;
    return last;
  }

  accept(heraldId: string | undefined, nowMs: number): void {
    this.#acceptedTotal++;
    this.#handshakes++;
    this.#young.opened(nowMs);
    if (heraldId !== undefined) this.#admitted.set(heraldId, (this.#admitted.get(heraldId) ?? 0) + 1);
  }

  closed(openedAtMs: number, nowMs: number): void {
    this.#young.closed(openedAtMs, nowMs);
  }

  /** Load changes by `level` now and by `perMs` from now on. */
  bend(level: number, perMs: number, nowMs: number): void {
    this.#settle(nowMs);
    this.#level += level;
    this.#slope += perMs;
  }

  restart(nowMs: number): void {
    this.up = true;
    this.#boot++;
    this.#seq = 0;
    this.#acceptedTotal = 0;
    this.#admitted.clear();
    this.#young = createYoungConnections();
    this.#level = 0;
    this.#slope = 0;
    this.#levelAtMs = nowMs;
    this.committed = 0;
    this.count = 0;
    this.#window.fill(0);
    this.reportsFromMs = nowMs;
    this.#pace = paceOf(this.#habits, this.#random);
  }

  /** Closes one sample of the window. */
  sample(nowMs: number): void {
    const before = this.#level;
    this.#settle(nowMs);
    const handshakes = (this.#handshakes * this.#habits.handshakeSeconds) / (SAMPLE_MS / 1_000);
    this.#handshakes = 0;
    const work = (before + this.#level) / 2 + handshakes;
    this.#window[this.#samples++ % WINDOW_SAMPLES] = Math.max(0, work) / this.capacity + this.stolen;
  }

  /** True utilisation over the last samples of the window, unclamped. */
  utilisation(samples: number = WINDOW_SAMPLES): number {
    let sum = 0;
    for (let i = 1; i <= samples; i++) {
      sum += this.#window[(this.#samples - i + WINDOW_SAMPLES) % WINDOW_SAMPLES]!;
    }
    return sum / samples;
  }

  /** The report that is due, if any. */
  reportDue(nowMs: number): LoadReport | undefined {
    if (nowMs < this.reportsFromMs) return undefined;
    const load = this.lies ? 0 : this.utilisation();
    const carried = {
      load,
      accepted: this.#acceptedTotal,
      connections: this.count,
      capacity: this.claimedCapacity,
    };
    const kind = this.#pace.due({ nowMs, ...(this.#habits.earlyReports ? carried : UNCHANGED) });
    return kind && this.#report(kind, load, nowMs);
  }

  #report(kind: ReportKind, load: number, nowMs: number): LoadReport {
    const measured = (): number => (this.lies ? 0 : Math.max(0, load + NOISE * normal(this.#random)));
    const tickets: LoadReport['tickets'] = {};
    for (const [heraldId, admitted] of this.#admitted) tickets[heraldId] = { admitted };
    return {
      v: 1,
      kind,
      gateway: this.id,
      url: `ws://${this.id}.sim/ws`,
      bootId: `boot-${this.#boot}`,
      seq: ++this.#seq,
      periodMs: this.#habits.reportMs,
      pool: 'default',
      zone: '',
      labels: {},
      capacity: this.claimedCapacity,
      state: 'up',
      connections: this.count,
      youngConnections: this.#young.value(nowMs),
      acceptedTotal: this.#acceptedTotal,
      tickets,
      ...(kind === 'full' && { cpu: measured() }),
    };
  }

  #settle(nowMs: number): void {
    this.#level += this.#slope * (nowMs - this.#levelAtMs);
    this.#levelAtMs = nowMs;
  }
}

function paceOf({ reportMs, earlyFull }: GatewayHabits, random: Random): ReportPace {
  return earlyFull ? createReportPace(reportMs, random) : createReportPace(reportMs, random, Infinity);
}
