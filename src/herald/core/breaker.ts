// (2) A circuit breaker per gateway and Herald: a gateway whose picks keep failing is left alone, whatever load
// it reports. A liar at 0 % must not become a black hole.

export type Breaker =
  | { state: 'closed'; bad: number; ok: number; openMs: number }
  | { state: 'open'; bad: number; ok: number; openMs: number; untilMs: number }
  | { state: 'trial'; bad: number; ok: number; openMs: number; trialsLeft: number; untilMs: number };

/** Added to the expected load of a gateway whose breaker is open. */
export const BAR_LOAD = 10;

const FIRST_OPEN_MS = 10_000;
const LONGEST_OPEN_MS = 300_000;
const OPENS_AT = 8;
const DECAY_PER_REPORT = 0.9;
const TRIAL_TICKETS = 3;
/** A trial ticket that was never heard of again is as bad as a failed one. */
const TRIAL_MS = 15_000;

export function newBreaker(): Breaker {
  return { state: 'closed', bad: 0, ok: 0, openMs: FIRST_OPEN_MS };
}

/** Old failures and successes fade with each report. */
export function fadeBreaker(breaker: Breaker): void {
  breaker.bad *= DECAY_PER_REPORT;
  breaker.ok *= DECAY_PER_REPORT;
}

/** `count` accepted connections. One acceptance closes the breaker. */
export function breakerAccepted(breaker: Breaker, count: number): Breaker {
  if (!(count > 0)) return breaker;
  if (breaker.state === 'closed') {
    breaker.ok = Math.min(breaker.ok + count, 1e9);
    return breaker;
  }
  // Halved and not reset: only a gateway that goes on working is shut out for a short time again.
  return { state: 'closed', bad: 0, ok: count, openMs: Math.max(FIRST_OPEN_MS, breaker.openMs / 2) };
}

/** `count` picks that failed (named by a client, or never confirmed); may be a fraction. */
export function breakerFailed(breaker: Breaker, count: number, nowMs: number): Breaker {
  if (!(count > 0)) return breaker;
  breaker.bad = Math.min(breaker.bad + count, 1e9);
  if (breaker.state === 'open') return breaker;
  if (breaker.state === 'trial') return opened(breaker, Math.min(LONGEST_OPEN_MS, breaker.openMs * 2), nowMs);
  if (breaker.bad >= OPENS_AT + 2 * breaker.ok) return opened(breaker, breaker.openMs, nowMs);
  return breaker;
}

/** Time passes: an open breaker lets three trial tickets through when its time is over. */
export function breakerAt(breaker: Breaker, nowMs: number): Breaker {
  if (breaker.state === 'closed' || nowMs < breaker.untilMs) return breaker;
  if (breaker.state === 'open') {
    const { bad, ok, openMs } = breaker;
    return { state: 'trial', bad, ok, openMs, trialsLeft: TRIAL_TICKETS, untilMs: nowMs + TRIAL_MS };
  }
  // With trials left nobody has tried it yet: no verdict either way.
  if (breaker.trialsLeft > 0) return breaker;
  return opened(breaker, Math.min(LONGEST_OPEN_MS, breaker.openMs * 2), nowMs);
}

/** A ticket was issued to it. */
export function breakerTried(breaker: Breaker, nowMs: number): void {
  if (breaker.state !== 'trial') return;
  breaker.trialsLeft = Math.max(0, breaker.trialsLeft - 1);
  breaker.untilMs = nowMs + TRIAL_MS;
}

export function isBarred(breaker: Breaker): boolean {
  return breaker.state === 'open' || (breaker.state === 'trial' && breaker.trialsLeft === 0);
}

function opened(breaker: Breaker, openMs: number, nowMs: number): Breaker {
  return { state: 'open', bad: breaker.bad, ok: 0, openMs, untilMs: nowMs + openMs };
}
