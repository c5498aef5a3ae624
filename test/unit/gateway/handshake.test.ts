import { describe, expect, it } from 'vitest';
import { acceptableOffer } from '../../../src/gateway/core/deflate-offer.ts';
import { originAllowed, ticketOf } from '../../../src/gateway/core/handshake.ts';

describe('the handshake', () => {
  it('finds the ticket among the subprotocols or in Authorization', () => {
    expect(ticketOf(['herald.v1.json', 'herald.ticket.t1.h.1.1.abc'], undefined)).toBe('t1.h.1.1.abc');
    expect(ticketOf(['herald.v1.json'], 'Bearer t1.h.1.1.abc')).toBe('t1.h.1.1.abc');
    expect(ticketOf(['herald.v1.json'], 'Bearer something-else')).toBeUndefined();
    expect(ticketOf([], undefined)).toBeUndefined();
  });

  it.each([
    [undefined, ['https://a.example'], true],
    ['https://a.example', ['https://a.example'], true],
    ['HTTPS://A.example', ['https://a.example'], true],
    ['https://a.example.evil.net', ['https://a.example'], false],
    ['null', ['https://a.example'], false],
    ['https://b.example', ['*'], true],
  ])('origin %s against %j: %s', (origin, allowed, verdict) => {
    expect(originAllowed(origin, allowed)).toBe(verdict);
  });

  it.each([
    ['permessage-deflate', 'permessage-deflate'],
    ['permessage-deflate; client_max_window_bits', 'permessage-deflate; client_max_window_bits'],
    ['permessage-deflate; server_max_window_bits=15', 'permessage-deflate; server_max_window_bits=15'],
    ['permessage-deflate; server_max_window_bits=10', undefined],
    ['permessage-deflate; server_max_window_bits=10, permessage-deflate', 'permessage-deflate'],
    ['permessage-deflate; unheard_of', undefined],
    ['permessage-deflate; client_max_window_bits=7', undefined],
    ['permessage-deflate; client_no_context_takeover; client_no_context_takeover', undefined],
    ['x-webkit-deflate-frame', undefined],
    ['', undefined],
  ])('takes of the offer %j: %j', (header, taken) => {
    expect(acceptableOffer(header)).toBe(taken);
  });
});
