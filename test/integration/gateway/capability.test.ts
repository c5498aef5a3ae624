// Old and new meet, and a capability is one object: nothing of the gateway knows this one.

import { expect, it } from 'vitest';
import type { Capability } from '../../../src/gateway/core/capabilities.ts';
import { gatewayForTest, TestClient } from '../../launch/gateway.ts';

const shout: Capability = {
  name: 'shout',
  ops: {
    shout: (connection, fields) => {
      const { text } = fields;
      if (typeof text === 'string') connection.send({ op: 'shouted', text: text.toUpperCase() });
      else connection.close(4000);
    },
  },
};

it('adds an op with one object, for clients that negotiated it', async () => {
  const { url } = await gatewayForTest({}, { capabilities: [shout] });
  const client = await TestClient.connect(url, { caps: ['shout', 'move'] });
  expect(client.frames[0]).toMatchObject({ caps: ['move', 'shout'] });
  client.send({ op: 'shout', text: 'hello' });
  expect(await client.next('shouted')).toEqual({ op: 'shouted', text: 'HELLO' });

  const without = await TestClient.connect(url, { caps: [] });
  without.send({ op: 'shout', id: 7, text: 'hello' });
  expect(await without.next('err')).toMatchObject({ id: 7, code: 4000 });
  expect(without.closed).toBeUndefined();
});

it('ignores what a newer client says beyond it', async () => {
  const { url } = await gatewayForTest();
  const client = await TestClient.connect(url, { caps: ['gap', 'teleport', 'v9'] });
  client.send({ op: 'sub', id: 1, c: [{ c: 'a', shiny: true }], mode: 'fast' });
  expect(await client.next('ok')).toMatchObject({ id: 1 });
  client.send({ op: 'teleport', id: 2, to: 'mars' });
  expect(await client.next('err')).toMatchObject({ id: 2 });
  client.send({ op: 'ping', extra: { deep: [1] } });
  await client.next('pong');
});

it('refuses a major version it does not speak, with a code that says so', async () => {
  const { url } = await gatewayForTest();
  const client = new TestClient(url);
  client.ws.on('open', () => client.send({ op: 'hello', v: 2 }));
  expect((await client.closing()).code).toBe(4004);
});
