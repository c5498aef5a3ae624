// (8) Which permessage-deflate offers can be met (RFC 7692 section 7). One compressed message serves every
// subscriber, so a client that asks for a smaller window than the shared one gets plain messages instead.

const PARAMETERS = new Set([
  'server_no_context_takeover',
  'client_no_context_takeover',
  'server_max_window_bits',
  'client_max_window_bits',
]);
/** The window shared messages are made with. */
const WINDOW_BITS = 15;

/** The first offer in `Sec-WebSocket-Extensions` that can be met as it stands, or undefined. */
export function acceptableOffer(header: string): string | undefined {
  return header
    .split(',')
    .map((offer) => offer.trim())
    .find(canMeet);
}

function canMeet(offer: string): boolean {
  const [name, ...parameters] = offer.split(';').map((part) => part.trim());
  if (name !== 'permessage-deflate') return false;
  const seen = new Set<string>();
  return parameters.every((parameter) => {
    const [key = '', value] = parameter.split('=', 2).map((part) => part.trim().replace(/^"(.*)"$/, '$1'));
    if (!PARAMETERS.has(key) || seen.has(key)) return false;
    seen.add(key);
    switch (key) {
      case 'server_max_window_bits':
        return value === String(WINDOW_BITS);
      case 'client_max_window_bits':
        return value === undefined || /^([89]|1[0-5])$/.test(value);
      default:
        return value === undefined;
    }
  });
}
