// The examples for back ends, and for programs in which no SDK of ours runs.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Child } from '../../launch/child.ts';
import { startChild } from '../../launch/child.ts';
import { commandPath } from '../../launch/require-server.ts';
import type { SmallFleet } from '../../launch/small-fleet.ts';
import { launchSmallFleet } from '../../launch/small-fleet.ts';
import { TestClient } from '../../launch/gateway.ts';
import { until } from '../../launch/until.ts';

const TOKEN = 'a token for publishers';
const children: Child[] = [];
let fleet: SmallFleet;

beforeAll(async () => {
  fleet = await launchSmallFleet(2, { broker: { httpListen: '127.0.0.1:0', publishToken: TOKEN } });
});
afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.stop()));
});
afterAll(() => fleet.close());

function run(command: string, ...args: string[]): Child {
  const child = startChild(command, args, { env: { HERALD_PUBLISH_TOKEN: TOKEN } });
  children.push(child);
  return child;
}

describe('publishers', () => {
  it('publisher.mjs publishes until it is told to end', async () => {
    const listener = await TestClient.connect(fleet.gateways[0]!.url);
    await listener.subscribe('counted');
    const child = run(process.execPath, 'examples/publisher.mjs', 'counted', fleet.herald.addresses.control);
    expect((await listener.next('msg'))['d']).toMatchObject({ count: 1, at: expect.any(String) });
    child.signal('SIGTERM');
    expect(await child.exited).toBe(0);
    expect(child.stdout()).toMatch(/^published to counted\n([^]*\n)?\d+ taken, 0 not\n$/);
    listener.drop();
  });

  it('publish.sh publishes once, at the first broker that answers, and says what is refused', async () => {
    const listener = await TestClient.connect(fleet.gateways[0]!.url);
    await listener.subscribe('by-curl');
    const http = fleet.broker.address().http;
    // The first is not there.
    const child = run('examples/publish.sh', 'by-curl', '{"order": 1.50}', 'http://127.0.0.1:1', http);
    expect(await child.exited).toBe(0);
    expect(await listener.messages(1)).toEqual([{ order: 1.5 }]);
    const refused = run('examples/publish.sh', 'no topic', '1', http);
    expect(await refused.exited).toBe(1);
    expect(refused.stderr()).toContain('topic: received');
    listener.drop();
  });
});

describe.runIf(commandPath('python3') !== undefined)('client.py', () => {
  it('reads on where it was, through moves, with nothing lost and nothing twice', async () => {
    const child = run('python3', join('examples', 'client.py'), fleet.url, 'numbers');
    const home = async (visit: number): Promise<string> => {
      const lives = await until(`connection ${visit}`, () => {
        const found = [...child.stderr().matchAll(/^live on (\S+)$/gm)];
        return found.length === visit ? found : undefined;
      });
      return lives.at(-1)![1]!;
    };
    const first = fleet.gateway(await home(1));
    await until('it to be subscribed', () => first.snapshot().subscriptions === 1);
    for (let n = 0; n < 50; n++) await fleet.publisher.publish('numbers', n);
    first.drain({ spreadMs: 200, deadlineMs: 20_000 });
    for (let n = 50; n < 100; n++) await fleet.publisher.publish('numbers', n);
    const second = fleet.gateway(await home(2));
    expect(second.id).not.toBe(first.id);
    first.ready();
    second.drain({ spreadMs: 0, deadlineMs: 20_000 });
    for (let n = 100; n < 150; n++) await fleet.publisher.publish('numbers', n);
    await home(3);
    const read = (): number[] =>
      [...child.stdout().matchAll(/^numbers \d+ (\d+)$/gm)].map(([, n]) => Number(n));
    await until('all of them', () => read().length >= 150);
    expect(read()).toEqual(Array.from({ length: 150 }, (_, n) => n));
    expect(child.stderr()).not.toContain('missed');
  });

  it('takes what is whole of an answer that is damaged', async () => {
    const found = (await (await fetch(`${fleet.url}/v1/lookup`)).json()) as object;
    const damaged = { gateway: 'nowhere', url: null, ticket: '', alternates: [null, {}, found] };
    const server = createServer((_request, response) => void response.end(JSON.stringify(damaged)));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const child = run('python3', join('examples', 'client.py'), url, 'numbers');
    await until('it to be live', () => /^live on /m.test(child.stderr()));
    server.close();
  });

  it('goes on asking where a proxy answers in the place of Herald', async () => {
    const answers: [status: number, headers: Record<string, string>, body: string][] = [
      [200, {}, '<html>sign in first</html>'],
      [200, {}, '{}'],
      [503, { 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }, 'away'],
    ];
    const proxy = createServer((request, response) => {
      const [status, headers, body] = answers.shift() ?? [
        307,
        { location: `${fleet.url}${request.url ?? ''}` },
        '',
      ];
      response.writeHead(status, headers).end(body);
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const child = run('python3', join('examples', 'client.py'), url, 'numbers');
    await until('it to be live', () => /^live on /m.test(child.stderr()));
    proxy.close();
    expect(answers).toEqual([]);
  });
});
