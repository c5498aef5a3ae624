// A program that calls the client SDK far faster than a gateway takes frames, at the gateway's own limits.

import { afterEach, expect, it } from 'vitest';
import type { Client } from '../../../src/client/index.ts';
import { gatewayForTest } from '../../launch/gateway.ts';
import { until } from '../../launch/until.ts';
import { clientOfOne } from './client-of-one.ts';

let client: Client | undefined;
afterEach(() => client?.close());

it('keeps its connection through hundreds of calls in one turn', async () => {
  const taken: string[] = [];
  const publish = (_topic: string, data: Uint8Array): Promise<{ ok: true }> => {
    taken.push(Buffer.from(data).toString());
    return Promise.resolve({ ok: true });
  };
  const { url, gateway } = await gatewayForTest({ publishTopics: ['*'] }, { publish });
  client = clientOfOne(url);
  await until('it to be live', () => client!.state.name === 'live');
  for (let i = 0; i < 400; i++) {
    client.subscribe(`t${i}`);
    if (i >= 100) client.unsubscribe(`t${i}`);
  }
  const published = Promise.all(Array.from({ length: 60 }, (_, i) => client!.publish('chat', i)));
  await until('the topics to be in force', () => gateway.snapshot().subscriptions === 100);
  await published;
  expect(taken).toEqual(Array.from({ length: 60 }, (_, i) => String(i)));
  expect(gateway.snapshot().closes).toEqual([]);
});

it('keeps its connection whatever frames of its own the program sends', async () => {
  const { url, gateway } = await gatewayForTest(
    { publishTopics: ['*'] },
    { publish: () => Promise.resolve({ ok: true }) },
  );
  client = clientOfOne(url);
  await until('it to be live', () => client!.state.name === 'live');
  const sent = Array.from({ length: 100 }, () => client!.send({ op: 'own' }));
  expect(sent.filter(Boolean).length).toBeGreaterThan(10);
  expect(sent.at(-1)).toBe(false);
  await until('its turn', () => client!.send({ op: 'own' }));
  expect(client.send({ op: 'own', text: 'x'.repeat(70_000) })).toBe(false);
  for (const frame of [undefined, null, 'own', [], {}, { op: 7 }]) {
    expect(() => client!.send(frame as never)).toThrow('expected an object with an op');
  }
  await client.publish('chat', 1);
  expect(gateway.snapshot().closes).toEqual([]);
  expect(client.state.name).toBe('live');
});
