// (5) The scheme of a redirect's Location, by who asks. Clients differ: Python's websockets and
// websocket-client follow only ws:, while aiohttp, OkHttp and Go's nhooyr follow only http:; npm ws takes
// either. docs/lookup.md has the table that was measured.

/** User agents whose WebSocket handshake is an HTTP request that follows http: redirects only. */
const FOLLOWS_HTTP = /okhttp\/|Go-http-client\/|aiohttp\//i;

export type LocationScheme = 'ws' | 'http';

/** `wanted` is the `location` parameter: it wins over what is known of the client. */
export function locationScheme(
  wanted: string | null,
  isUpgrade: boolean,
  userAgent: string | undefined,
): LocationScheme {
  if (wanted === 'ws' || wanted === 'http') return wanted;
  // A plain GET comes from an HTTP client, which cannot follow ws:.
  if (!isUpgrade) return 'http';
  return FOLLOWS_HTTP.test(userAgent ?? '') ? 'http' : 'ws';
}

/** `wss://a/b` -> `https://a/b`: the scheme changes its name, never its security. */
export function locationOf(gatewayUrl: string, scheme: LocationScheme): string {
  return scheme === 'ws' ? gatewayUrl : gatewayUrl.replace(/^ws/, 'http');
}
