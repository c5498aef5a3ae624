// (2) A circuit breaker per gateway and Herald: a gateway whose picks keep failing is left alone, whatever load
// it reports. A liar at 0 % must not become a black hole. Which failures count is decided in ticket-outcomes.ts.

export type Breaker =
  | { state: 'closed'; bad: number; openMs: number }
  | { state: 'open'; openMs: number; untilMs: number }
  | { state: 'trial'; openMs: number; trialsLeft: number; untilMs: number };

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
  return { state: 'closed', bad: 0, openMs: FIRST_OPEN_MS };
}

/** Old failures fade with each report. */
export function fadeBreaker(breaker: Breaker): void {
  if (breaker.state === 'closed') breaker.bad *= DECAY_PER_REPORT;
}

/** One acceptance makes up for all failures and closes the breaker. */
export function breakerAccepted(breaker: Breaker): Breaker {
  if (breaker.state === 'closed') {
    breaker.bad = 0;
    return breaker;
  }
  // Halved and not reset: only a gateway that goes on working is shut out for a short time again.
  return { state: 'closed', bad: 0, openMs: Math.max(FIRST_OPEN_MS, breaker.openMs / 2) };
}

/** `count` picks that failed (named by a client, or never confirmed); may be a fraction. */
export function breakerFailed(breaker: Breaker, count: number, nowMs: number): Breaker {
  if (breaker.state === 'open') return breaker;
  if (breaker.state === 'trial') return opened(2 * breaker.openMs, nowMs);
  breaker.bad += count;
  return breaker.bad < OPENS_AT ? breaker : opened(breaker.openMs, nowMs);
}

/** Time passes: an open breaker lets three trial tickets through when its time is over. */
export function breakerAt(breaker: Breaker, nowMs: number): Breaker {
  if (breaker.state === 'closed' || nowMs < breaker.untilMs) return breaker;
  if (breaker.state === 'open') {
    const { openMs } = breaker;
    return { state: 'trial', openMs, trialsLeft: TRIAL_TICKETS, untilMs: nowMs + TRIAL_MS };
  }
  // With trials left nobody has tried it yet: no verdict either way.
  if (breaker.trialsLeft > 0) return breaker;
  return opened(2 * breaker.openMs, nowMs);
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

function opened(forMs: number, nowMs: number): Breaker {
  const openMs = Math.min(LONGEST_OPEN_MS, forMs);
  return { state: 'open', openMs, untilMs: nowMs + openMs };
}
