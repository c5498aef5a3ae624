// (5) Writes the answers of lookups. Nearly all of an answer is prepared in a few long pieces, because joining many
// short ones costs more than the decision itself.

import type { Clock } from '../../daemon/clock.ts';
import { DEFAULT_BACKOFF } from '../../protocol/retry.ts';
import { TICKET_TTL_MS } from '../../protocol/ticket.ts';
import type { Pick } from '../core/balancer-types.ts';
import { inOnePiece } from '../in-one-piece.ts';
import type { TicketBook, TicketOffice } from '../ticket-office.ts';
import { SIGNED_AHEAD_MS } from '../ticket-office.ts';
import type { Found } from './lookup-desk.ts';

const EXPIRY_STEP_MS = 100;
/** Gateways whose tickets are kept prepared; beyond, all begin anew. */
const MAX_BOOKS = 100_000;
const BACKOFF_JSON = JSON.stringify(DEFAULT_BACKOFF);

/**
 * Answers the JSON of a reply. Ids and URLs are ASCII without quotes (src/protocol/names.ts), so nothing needs
 * escaping here.
 */
export function createReplyWriter(
  tickets: TicketOffice,
  clock: Clock,
): (found: Found, nowMs: number) => string {
  const middleAt = middleTexts(clock);
  const books = new Map<string, { url: string; book: TicketBook }>();
  /** A pick's fields but for the last quote. */
  const pickJson = ({ gateway, url, ticketSeq }: Pick, issuedMs: number): string => {
    let known = books.get(gateway);
    if (known?.url !== url) {
      if (books.size >= MAX_BOOKS) books.clear();
      const before = `"gateway":"${gateway}","url":"${url}","ticket":"`;
      known = { url, book: tickets.open(gateway, before) };
      books.set(gateway, known);
    }
    return known.book.issue(ticketSeq, issuedMs);
  };
  const endOf = endTexts();
  return (found, nowMs) => {
    const issuedMs = Math.round(nowMs);
    const best = pickJson(found.best, issuedMs);
    let alternates = '';
    for (const pick of found.alternates) {
      alternates += (alternates === '' ? '{' : '"},{') + pickJson(pick, issuedMs);
    }
    return (
      `{"lookupId":"${found.lookupId}",${best}${middleAt(nowMs)}${alternates}` +
      `${endOf(alternates !== '', found.tableVersion)}${Math.round(found.tableAgeMs)}}}`
    );
  };
}

/** What stands between the best pick and the alternates, the same for a while: `expiresAt`. */
function middleTexts(clock: Clock): (nowMs: number) => string {
  let writtenMs = -Infinity;
  let text = '';
  return (nowMs) => {
    if (nowMs - writtenMs >= EXPIRY_STEP_MS) {
      writtenMs = nowMs;
      // Until then every ticket of the answer is good: early by at most the step and what they were signed ahead.
      const expiresAt = new Date(clock.epochMs() + TICKET_TTL_MS - SIGNED_AHEAD_MS).toISOString();
      text = inOnePiece(`","expiresAt":"${expiresAt}","alternates":[`);
    }
    return text;
  };
}

/** What stands between the alternates and the table's age, the same until the table changes. */
function endTexts(): (anyAlternates: boolean, version: number) => string {
  let writtenVersion = NaN;
  let none = '';
  let some = '';
  return (anyAlternates, version) => {
    if (version !== writtenVersion) {
      writtenVersion = version;
      none = inOnePiece(`],"backoff":${BACKOFF_JSON},"table":{"version":${version},"ageMs":`);
      some = inOnePiece(`"}${none}`);
    }
    return anyAlternates ? some : none;
  };
}
