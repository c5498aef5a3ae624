// What clients publish: where they may, how much, and as which bytes it goes on.

import { expect, it } from 'vitest';
import { gatewayForTest, TestClient } from '../../launch/gateway.ts';
import { until } from '../../launch/until.ts';

it('publishes for clients where a topic prefix allows it, and says why not elsewhere', async () => {
  const taken: [string, string][] = [];
  const { url } = await gatewayForTest(
    { publishTopics: ['chat.'] },
    {
      publish: async (topic, data) => {
        taken.push([topic, Buffer.from(data).toString()]);
        return topic === 'chat.down' ? { ok: false, why: 'no broker' } : { ok: true };
      },
    },
  );
  const client = await TestClient.connect(url);
  client.send({ op: 'pub', id: 1, c: 'chat.1', d: { text: 'ü' } });
  expect(await client.next('ok')).toEqual({ op: 'ok', id: 1 });
  client.send({ op: 'pub', id: 2, c: 'orders.eu', d: 1 });
  expect(await client.next('err')).toMatchObject({ id: 2, code: 4006 });
  client.send({ op: 'pub', id: 3, c: 'chat.down', d: 1 });
  expect(await client.next('err')).toEqual({ op: 'err', id: 3, code: 4105, msg: 'no broker' });
  expect(taken[0]).toEqual(['chat.1', '{"text":"ü"}']);
});

it('passes on the JSON of a publication as it came', async () => {
  const taken: string[] = [];
  const publish = async (_: string, data: Uint8Array): Promise<{ ok: true }> => {
    taken.push(Buffer.from(data).toString());
    return { ok: true };
  };
  const { url } = await gatewayForTest({ publishTopics: ['*'] }, { publish });
  const client = await TestClient.connect(url);
  client.send('{"op":"pub","d":1,"id":1, "\\u0064" : [1.0, 12345678901234567890,"\\u00fc"] ,"c":"t"}');
  await client.next('ok');
  expect(taken).toEqual(['[1.0, 12345678901234567890,"\\u00fc"]']);
});

it('refuses a publication nested too deeply or too large, and lives on', async () => {
  const { url } = await gatewayForTest(
    { publishTopics: ['*'], maxFrameBytes: 200_000 },
    { publish: async () => ({ ok: true }) },
  );
  const client = await TestClient.connect(url);
  const answer = async (id: number, d: string): Promise<unknown> => {
    client.send(`{"op":"pub","id":${id},"c":"t","d":${d}}`);
    await until('an answer', () => client.frames.at(-1)!['id'] === id);
    return client.frames.at(-1)!['code'];
  };
  expect(await answer(1, '['.repeat(1_000) + ']'.repeat(1_000))).toBeUndefined();
  expect(await answer(2, '['.repeat(1_001) + ']'.repeat(1_001))).toBe(4000);
  expect(await answer(3, '['.repeat(30_000) + ']'.repeat(30_000))).toBe(4000);
  expect(await answer(4, `"${'x'.repeat(65_534)}"`)).toBeUndefined();
  expect(await answer(5, `"${'x'.repeat(65_535)}"`)).toBe(4000);
  expect(await answer(6, '[[1]]')).toBeUndefined();
});

it('tells a client that no broker took it, and not where brokers are', async () => {
  const { url } = await gatewayForTest({ publishTopics: ['*'], brokers: ['b1@127.0.0.1:1:1:1'] });
  const client = await TestClient.connect(url);
  client.send({ op: 'pub', id: 1, c: 'chat.1', d: 1 });
  expect(await client.next('err', undefined, 10_000)).toEqual({
    ...{ op: 'err', id: 1, code: 4105 },
    msg: 'chat.1: no broker acked it in time; it was not sent',
  });
});

it('takes 32 MB of publications while there is no broker, and no more', async () => {
  const { url } = await gatewayForTest({ publishTopics: ['*'], messagesPerSec: 100_000 });
  const client = await TestClient.connect(url);
  const d = 'x'.repeat(65_000);
  const fit = Math.floor((32 * 1_048_576) / 65_002);
  for (let id = 0; id <= fit; id++) client.send({ op: 'pub', id, c: 't', d });
  const refused = await client.next('err');
  expect(refused).toMatchObject({ code: 4105 });
  expect(refused['msg']).toContain('wait');
  expect(refused['id']).toBeGreaterThan(fit * 0.9);
});

it('does not wait at its end for a broker to take what clients published', async () => {
  const { gateway, url } = await gatewayForTest({ publishTopics: ['*'] });
  const client = await TestClient.connect(url);
  client.send({ op: 'pub', id: 1, c: 't', d: 1 });
  // Answers come in order where nothing is waited for, so it has been read.
  client.send({ op: 'ping' });
  await client.next('pong');
  const startMs = performance.now();
  await gateway.close();
  expect(performance.now() - startMs).toBeLessThan(gateway.closeDeadlineMs!);
});
