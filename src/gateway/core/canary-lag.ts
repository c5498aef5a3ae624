// How late messages come, by the probes of each broker. Its clock and that of this machine may be hours apart, so
// a probe is as late as it took longer than the quickest one before it.

import { decodeJson, fieldsOf } from '../../protocol/decode.ts';
import type { SequencedMessage } from '../../protocol/publication-envelope.ts';

export type Probe = Pick<SequencedMessage, 'source' | 'publishedAtMs' | 'data'>;

/**
 * How fast the quickest time is let go of, as a share of the time that passes. Four times what clocks may drift apart while
 * they are steered (500 ppm), and still slow: what is 2 s late counts as 1 s late after eight minutes.
 */
const FORGETTING = 0.002;
/** More lives of brokers than are there at a time. */
const MAX_PROBERS = 64;

interface Prober {
  /** Of its newest probe, by its clock and by this machine's. */
  publishedAtMs: number;
  cameAtMs: number;
  /** By both clocks: only differences mean anything. */
  quickestMs: number;
}

/**
 * By two clocks of the broker: the wall clock may be set back, and the steady one stands still while the machine is suspended.
 * What is late is late by both.
 */
export class CanaryLag {
  readonly #byWall = new ClockLag();
  readonly #bySteady = new ClockLag();

  /** `nowMs` by the monotonic clock here. Answers ms. */
  note({ source: { publisher }, publishedAtMs, data }: Probe, nowMs: number): number {
    const lagMs = this.#byWall.note(publisher, publishedAtMs, nowMs);
    const steadyMs = steadyMsOf(data);
    return steadyMs === undefined ? lagMs : Math.min(lagMs, this.#bySteady.note(publisher, steadyMs, nowMs));
  }
}

/** Undefined for a probe of an older version. */
function steadyMsOf(data: Uint8Array): number | undefined {
  const probe = decodeJson(Buffer.from(data).toString());
  const steadyMs = probe.ok ? fieldsOf(probe.value)['steadyMs'] : undefined;
  return typeof steadyMs === 'number' ? steadyMs : undefined;
}

class ClockLag {
  readonly #probers = new Map<string, Prober>();

  /** `publishedAtMs` by the clock of the prober. */
  note(prober: string, publishedAtMs: number, nowMs: number): number {
    const tookMs = nowMs - publishedAtMs;
    const before = this.#probers.get(prober);
    // A clock that was set back has begun anew.
    const isSameClock = before !== undefined && publishedAtMs >= before.publishedAtMs;
    const quickestMs = isSameClock
      ? Math.min(tookMs, before.quickestMs + FORGETTING * (nowMs - before.cameAtMs))
      : tookMs;
    this.#probers.delete(prober);
    this.#probers.set(prober, { publishedAtMs, cameAtMs: nowMs, quickestMs });
    const [oldest] = this.#probers.keys();
    if (this.#probers.size > MAX_PROBERS) this.#probers.delete(oldest!);
    return tookMs - quickestMs;
  }
}
