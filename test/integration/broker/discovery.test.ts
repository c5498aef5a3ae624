// A publisher's question where the brokers are, put to something that is no Herald.

import { expect, it } from 'vitest';
import { askForBrokers } from '../../../src/publisher/discovery.ts';
import { closeLater } from '../../launch/close-later.ts';
import { httpServer } from '../../launch/http-server.ts';
import { anAddress } from '../../unit/broker/given.ts';

it('reads no more of an answer than the longest list could be, and asks the next Herald', async () => {
  let sent = 0;
  const endless = await httpServer((_request, response) => {
    const chunk = Buffer.alloc(65_536, ' ');
    const more = (): void => {
      if (response.destroyed) return;
      sent += chunk.length;
      response.write(chunk, more);
    };
    more();
  });
  const broker = anAddress('b1');
  const herald = await httpServer((_request, response) =>
    response.end(JSON.stringify({ brokers: [broker] })),
  );
  const urls = [endless, herald].map((server) => closeLater(server).url);
  expect(await askForBrokers(urls)).toEqual([broker]);
  // What was read, and what lay in the buffers of both sides.
  expect(sent).toBeLessThan(16_000_000);
});
