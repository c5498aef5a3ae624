// A client in Node whose Herald names one gateway, whatever it is asked.

import { WebSocket } from 'ws';
import { connect } from '../../../src/client/index.ts';
import type { Client, ConnectOptions } from '../../../src/client/index.ts';

export function clientOfOne(url: string, options: Partial<ConnectOptions> = {}): Client {
  const found = JSON.stringify({ lookupId: 'l', gateway: 'g', url, ticket: '' });
  return connect({
    herald: 'http://herald.example',
    webSocket: WebSocket,
    fetch: async () => ({ status: 200, headers: { get: () => null }, text: async () => found }),
    ...options,
  });
}
