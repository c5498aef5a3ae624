// `herald/client` as built, in a page of a real browser: it looks up across origins, connects, receives, moves in
// a drain and resumes after a cut, with nothing lost and nothing twice.

import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../launch/free-port.ts';
import type { HttpServer } from '../../launch/http-server.ts';
import { fileServer, httpServer } from '../../launch/http-server.ts';
import { commandPath, requireServer } from '../../launch/require-server.ts';
import type { SmallFleet } from '../../launch/small-fleet.ts';
import { launchSmallFleet } from '../../launch/small-fleet.ts';
import type { TcpProxy } from '../../launch/tcp-proxy.ts';
import { startTcpProxy } from '../../launch/tcp-proxy.ts';
import { until } from '../../launch/until.ts';

const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

/** What the page has seen. */
interface Seen {
  state: { name: string; gateway?: string };
  numbers: number[];
  gaps: unknown[];
  moves: { from: string; to: string }[];
  recovered: boolean[];
}

describe.runIf(requireServer('chromium'))('the client in a browser', () => {
  let fleet: SmallFleet;
  const proxies = new Map<string, TcpProxy>();
  let site: HttpServer;
  let browser: Browser;
  let page: Page;
  const troubles: string[] = [];

  const seen = (): Promise<Seen> => page.evaluate(() => (globalThis as unknown as { seen(): Seen }).seen());
  const live = async (): Promise<string | undefined> => {
    const { state } = await seen();
    return state.name === 'live' ? state.gateway : undefined;
  };

  let published = 0;
  /** Acked one by one, so that a resume never has more to bring back than it may. */
  const publish = async (count: number): Promise<void> => {
    for (const end = published + count; published < end; published++) {
      await fleet.publisher.publish('numbers', published);
    }
  };
  const allHere = (): Promise<true> =>
    until(`all of ${published}`, async () => (await seen()).numbers.length >= published || undefined, 30_000);

  beforeAll(async () => {
    site = await fileServer();
    fleet = await launchSmallFleet(0, { gateway: { origins: [site.url], publishTopics: ['said.'] } });
    for (let i = 0; i < 2; i++) {
      const port = await freePort();
      const proxy = await startTcpProxy(port);
      const { id } = await fleet.addGateway({
        listen: `127.0.0.1:${port}`,
        url: `ws://${proxy.address}/ws`,
      });
      proxies.set(id, proxy);
    }
    browser = await chromium.launch({ executablePath: commandPath('chromium')!, args: FLAGS });
    page = await browser.newPage();
    page.on('pageerror', (error) => troubles.push(error.message));
    await page.goto(site.url);
    const start = `
      import { connect } from '/dist/client/index.js';
      const seen = { numbers: [], gaps: [], moves: [], recovered: [] };
      const client = connect({ herald: ${JSON.stringify(fleet.url)}, topics: ['numbers'] });
      client.on('message', ({ data }) => seen.numbers.push(data));
      client.on('gap', (gap) => seen.gaps.push(gap));
      client.on('moved', (move) => seen.moves.push(move));
      client.on('subscribed', ({ recovered }) => seen.recovered.push(recovered));
      globalThis.client = client;
      globalThis.seen = () => ({ ...seen, state: client.state });`;
    await page.addScriptTag({ type: 'module', content: start });
    await page.waitForFunction('globalThis.seen?.().state.name === "live"', undefined, { timeout: 30_000 });
  });
  afterAll(async () => {
    await browser.close();
    await fleet.close();
    for (const proxy of proxies.values()) await proxy.close();
    await site.close();
  });

  it('looks up, connects and receives', async () => {
    await publish(50);
    await allHere();
    expect((await seen()).numbers).toEqual(Array.from({ length: published }, (_, n) => n));
  });

  it('publishes, and hears why not where it may not', async () => {
    const outcome = await page.evaluate(async () => {
      const { client } = globalThis as unknown as {
        client: { publish(topic: string, data: unknown): Promise<void> };
      };
      await client.publish('said.here', 1);
      return client.publish('numbers', 1).catch((error: unknown) => String(error));
    });
    expect(outcome).toMatch(/4006/);
  });

  it('moves in a drain while messages flow', async () => {
    const home = (await live())!;
    fleet.gateway(home).drain({ spreadMs: 300, deadlineMs: 20_000 });
    const flowing = publish(150);
    const there = await until('another gateway', async () => {
      const now = await live();
      return now !== undefined && now !== home ? now : undefined;
    });
    await flowing;
    await publish(20);
    await allHere();
    const { moves, gaps, numbers } = await seen();
    expect(moves).toEqual([{ from: home, to: there }]);
    expect(gaps).toEqual([]);
    expect(numbers).toEqual(Array.from({ length: published }, (_, n) => n));
    fleet.gateway(home).ready();
  });

  it('resumes after its connection was cut', async () => {
    for (let cut = 1; cut <= 3; cut++) {
      const home = await until('a connection', live, 30_000);
      proxies.get(home)!.dropConnections();
      await publish(30);
    }
    await allHere();
    const { recovered, gaps, numbers } = await seen();
    expect(gaps).toEqual([]);
    expect(numbers).toEqual(Array.from({ length: published }, (_, n) => n));
    expect(recovered.length).toBeGreaterThan(2);
    expect(recovered).not.toContain(false);
  });

  it('does not wait for its timer when the network is back', async () => {
    const away = await browser.newPage();
    await away.goto(site.url);
    const waits = (): Promise<number[]> => away.evaluate('globalThis.waits');
    await away.addScriptTag({
      type: 'module',
      content: `
        import { connect } from '/dist/client/index.js';
        globalThis.waits = [];
        globalThis.start = () => {
          globalThis.client = connect({ herald: ${JSON.stringify(fleet.url)}, random: () => 0.999 });
          client.on('state', ({ forMs }) => forMs !== undefined && waits.push(forMs));
        };`,
    });
    await away.waitForFunction('globalThis.start');
    await away.context().setOffline(true);
    await away.evaluate('start()');
    // Each wait is twice the one before, until the network is back.
    await until('a long wait', async () => (await waits()).at(-1)! > 3_000, 15_000);
    await away.context().setOffline(false);
    await away.waitForFunction('client.state.name === "live"', undefined, { timeout: 30_000 });
    expect((await waits()).at(-1)).toBeLessThanOrEqual(1_000);
    await away.close();
  });

  it('is led in a circle as long as the browser goes along, and says so', async () => {
    let asked = 0;
    const circle = await httpServer(({ url }, response) => {
      asked += 1;
      response.writeHead(307, { location: url, 'access-control-allow-origin': '*' }).end();
    });
    const lost = await browser.newPage();
    await lost.goto(site.url);
    const content = `
      import { connect } from '/dist/client/index.js';
      const timers = { setTimeout() {}, clearTimeout() {}, nowMs: () => 0 };
      globalThis.client = connect({ herald: ${JSON.stringify(circle.url)}, timers });`;
    await lost.addScriptTag({ type: 'module', content });
    await lost.waitForFunction('globalThis.client?.state.name === "waiting"');
    const { why } = await lost.evaluate<{ why: string }>('client.state');
    await lost.close();
    await circle.close();
    expect(why).toBe(`no Herald answers at ${circle.url} (redirected, then Failed to fetch)`);
    // Once by the client, which learns that a page is not told where to; then 20 redirects (Fetch, HTTP-redirect fetch).
    expect(asked).toBe(22);
  });

  it('was never in trouble', () => {
    expect(troubles).toEqual([]);
  });
});
