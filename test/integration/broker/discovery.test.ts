// A publisher's question where the brokers are, put to something that is no Herald.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { askForBrokers } from '../../../src/publisher/discovery.ts';
import { anAddress } from '../../unit/broker/given.ts';

it('reads no more of an answer than the longest list could be, and asks the next Herald', async () => {
  let sent = 0;
  const endless = createServer((_request, response) => {
    const chunk = Buffer.alloc(65_536, ' ');
    const more = (): void => {
      if (response.destroyed) return;
      sent += chunk.length;
      response.write(chunk, more);
    };
    more();
  });
  const broker = anAddress('b1');
  const herald = createServer((_request, response) => response.end(JSON.stringify({ brokers: [broker] })));
  for (const server of [endless, herald]) await once(server.listen(0, '127.0.0.1'), 'listening');
  const urls = [endless, herald].map(
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  );
  expect(await askForBrokers(urls)).toEqual([broker]);
  // What was read, and what lay in the buffers of both sides.
  expect(sent).toBeLessThan(16_000_000);
  for (const server of [endless, herald]) {
    server.closeAllConnections();
    server.close();
  }
});
