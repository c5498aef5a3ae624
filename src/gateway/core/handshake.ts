// (8) What the handshake's headers carry besides the subprotocol: the ticket, and where the page came from.

import { TICKET_PROTOCOL_PREFIX } from '../../protocol/ticket.ts';

/** The ticket in a `herald.ticket.<ticket>` subprotocol item or in `Authorization: Bearer <ticket>`. */
export function ticketOf(
  protocols: readonly string[],
  authorization: string | undefined,
): string | undefined {
  const item = protocols.find((protocol) => protocol.startsWith(TICKET_PROTOCOL_PREFIX));
  if (item !== undefined) return item.slice(TICKET_PROTOCOL_PREFIX.length);
  const bearer = /^bearer +(t1\.\S{1,256})$/i.exec(authorization ?? '');
  return bearer?.[1];
}

/** Browsers always send Origin; a client without one is a program, which no list can bind (RFC 6455, 10.2). */
export function originAllowed(origin: string | undefined, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes('*')) return true;
  return allowed.some((one) => one.toLowerCase() === origin.toLowerCase());
}
