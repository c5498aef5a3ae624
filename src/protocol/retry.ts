// Retry timing shared by every client of ours: as long as a server asks for, and else with full jitter, a random time up
// to an exponentially growing cap, which spreads a crowd better than any fixed or half-random wait (Brooker,
// "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).

export interface Backoff {
  minMs: number;
  maxMs: number;
}

export const DEFAULT_BACKOFF: Backoff = { minMs: 250, maxMs: 20_000 };

/** Wait before try number `attempt` (0 = the first retry), in ms; `random` is in [0, 1). */
export function retryDelayMs(attempt: number, backoff: Backoff, random: number): number {
  const cap = Math.min(backoff.maxMs, backoff.minMs * 2 ** Math.min(attempt, 30));
  return Math.round(random * Math.max(cap, backoff.minMs));
}

const DAY_MS = 86_400_000;
/** RFC 9110 section 5.6.7: the form that is written today, and the two that must still be read. */
const HTTP_DATES = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2,5}day, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];

/**
 * How long a server asks to be left alone (Retry-After, RFC 9110 section 10.2.3), in ms: decimal seconds, or a date; a day
 * at most. A date counts from that of the answer, or from `epochMs` where it has none. Undefined for what is neither, and
 * for a date that has passed: many a proxy always says the same one.
 */
export function readRetryAfterMs(
  headers: { readonly 'retry-after'?: unknown; readonly date?: unknown },
  epochMs: number,
): number | undefined {
  const retryAfter = textOf(headers['retry-after']);
  if (/^\d+$/.test(retryAfter)) return Math.min(DAY_MS, Number(retryAfter) * 1_000);
  const waitMs = httpDateMs(retryAfter) - (httpDateMs(textOf(headers.date)) || epochMs);
  return waitMs > 0 ? Math.min(DAY_MS, waitMs) : undefined;
}

/** NaN for what is none. */
function httpDateMs(text: string): number {
  if (!HTTP_DATES.some((form) => form.test(text))) return NaN;
  // The oldest form names no zone; it is GMT too.
  return Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
}

function textOf(header: unknown): string {
  return typeof header === 'string' ? header.trim() : '';
}
