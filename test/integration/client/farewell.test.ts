// A program that is done with a gateway that does not answer its close.

import { afterEach, beforeEach, it } from 'vitest';
import { WebSocket } from 'ws';
import type { HeraldProcess } from '../../launch/herald-process.ts';
import { ANY_PORT, startHeraldProcess } from '../../launch/herald-process.ts';
import { until } from '../../launch/until.ts';
import { clientOfOne } from './client-of-one.ts';

let gateway: HeraldProcess;
beforeEach(async () => {
  gateway = await startHeraldProcess('gateway', { id: 'frozen', listen: ANY_PORT });
});
afterEach(() => gateway.kill());

it('is let go within seconds by one that is frozen', async () => {
  const sockets: WebSocket[] = [];
  class Observed extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
    }
  }
  const client = clientOfOne(gateway.addresses['ws']!, { webSocket: Observed });
  await until('it to be live', () => client.state.name === 'live');
  gateway.signal('SIGSTOP');
  client.close();
  await until('its socket to be gone', () => sockets[0]!.readyState === WebSocket.CLOSED, 10_000);
});
