// Every example, as a reader would run it, against a real fleet. They import the built package.

import { existsSync } from 'node:fs';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { TableSnapshot } from '../../../src/herald/core/balancer-types.ts';
import type { LookupReply } from '../../../src/protocol/lookup.ts';
import type { Child } from '../../launch/child.ts';
import { startChild } from '../../launch/child.ts';
import type { HttpServer } from '../../launch/http-server.ts';
import { fileServer } from '../../launch/http-server.ts';
import { commandPath, requireServer } from '../../launch/require-server.ts';
import type { SmallFleet } from '../../launch/small-fleet.ts';
import { launchSmallFleet } from '../../launch/small-fleet.ts';
import { until } from '../../launch/until.ts';

const ROOT = process.cwd();
const children: Child[] = [];

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.stop()));
});

function run(command: string, ...args: string[]): Child {
  const child = startChild(command, args, { cwd: ROOT });
  children.push(child);
  return child;
}

async function rowOf(
  fleet: SmallFleet,
  gateway: string,
): Promise<TableSnapshot['gateways'][number] | undefined> {
  const reply = await fetch(`${fleet.herald.addresses.admin}/v1/table`);
  const { gateways } = (await reply.json()) as TableSnapshot;
  return gateways.find((row) => row.gateway === gateway);
}

/** Servers of one's own are in a pool of their own, so that no client of a gateway is sent to them. */
async function lookUpOwn(fleet: SmallFleet): Promise<LookupReply> {
  const reply = await fetch(`${fleet.url}/v1/lookup?pool=own`);
  return (await reply.json()) as LookupReply;
}

describe('clients', () => {
  let fleet: SmallFleet;
  beforeAll(async () => {
    expect(existsSync(join(ROOT, 'dist/client/index.js')), 'npm run build').toBe(true);
    fleet = await launchSmallFleet(1, { gateway: { publishTopics: ['chat.'] } });
  });
  afterAll(() => fleet.close());

  it('client.mjs prints what is published', async () => {
    const child = run(process.execPath, 'examples/client.mjs', fleet.url, 'news');
    await child.line(/^live$/m, 20_000);
    await fleet.publisher.publish('news', { hello: 'node' });
    await child.line(/news \d+ \{"hello":"node"\}/);
  });

  describe.runIf(requireServer('chromium'))('in a browser', () => {
    let pages: HttpServer;
    let browser: Browser;
    beforeAll(async () => {
      pages = await fileServer();
      browser = await chromium.launch({
        executablePath: commandPath('chromium')!,
        args: ['--no-sandbox', '--disable-dev-shm-usage'],
      });
    });
    afterAll(async () => {
      await browser.close();
      await pages.close();
    });

    const open = async (name: string): Promise<Page> => {
      const page = await browser.newPage();
      await page.goto(`${pages.url}/examples/${name}?herald=${encodeURIComponent(fleet.url)}`);
      return page;
    };

    it('browser.html shows what is published', async () => {
      const page = await open('browser.html');
      await until('the page to be live', async () => (await page.title()) === 'live', 20_000);
      await fleet.publisher.publish('news', { hello: 'browser' });
      await until('the message on the page', async () =>
        /news \d+ \{"hello":"browser"\}/.test((await page.textContent('#log')) ?? ''),
      );
    });

    it('chat.html brings what one says to the other, and misses nothing in a reload', async () => {
      const [ann, bob] = [await open('chat.html'), await open('chat.html')];
      const isLive = (page: Page) => (): Promise<boolean> =>
        page.textContent('#state').then((state) => state === 'live');
      const said = (page: Page): Promise<string[]> => page.locator('#said li').allTextContents();
      const say = async (page: Page, text: string): Promise<void> => {
        await page.fill('#text', text);
        await page.press('#text', 'Enter');
        await until(`${text} to be said`, async () => (await page.inputValue('#text')) === '');
      };
      await until('both live', async () => (await isLive(ann)()) && (await isLive(bob)()), 20_000);
      await say(ann, 'hello');
      await until('bob to hear it', async () => (await said(bob)).includes('hello'));
      await bob.goto('about:blank');
      await say(ann, 'are you there?');
      await bob.goBack();
      await until('what he missed', async () => (await said(bob)).includes('are you there?'), 20_000);
      await until('bob to be live', isLive(bob));
      await say(bob, 'yes');
      await until('ann to hear it', async () => (await said(ann)).length === 3);
      expect(await said(ann)).toEqual(['hello', 'are you there?', 'yes']);
    });
  });
});

describe('gateways', () => {
  let fleet: SmallFleet;
  beforeAll(async () => {
    fleet = await launchSmallFleet(0);
  });
  afterAll(() => fleet.close());

  it('plain-ws-server.mjs is named, counts its connections and tickets, and says goodbye', async () => {
    const child = run(process.execPath, 'examples/plain-ws-server.mjs', '0', fleet.herald.addresses.control);
    const [, gateway] = await child.line(/(plain-\d+) reports to/, 20_000);
    await until('it is in the table', async () => (await rowOf(fleet, gateway!))?.effectiveState === 'up');
    const { url, ticket } = await lookUpOwn(fleet);
    expect(url).toContain(gateway!.slice('plain-'.length));
    const stranger = new WebSocket(url, ['chat', 'herald.ticket.t1.!.1.1.x']);
    await once(stranger, 'open');
    stranger.terminate();
    const socket = new WebSocket(url, ['chat', `herald.ticket.${ticket}`]);
    await once(socket, 'open');
    expect(socket.protocol).toBe('chat');
    await until('connection and ticket are counted', async () => {
      const row = await rowOf(fleet, gateway!);
      return row?.connections === 1 && row.inFlightTickets === 0;
    });
    const echo = once(socket, 'message');
    socket.send('hello');
    expect(String((await echo)[0])).toBe('hello');
    const closed = once(socket, 'close');
    child.signal('SIGTERM');
    expect((await closed)[0]).toBe(4204);
    expect(await child.exited).toBe(0);
    expect((await rowOf(fleet, gateway!))?.effectiveState).not.toBe('up');
  });

  it('own-client.mjs speaks a protocol of its own, and finds another server when its own is gone', async () => {
    const { control } = fleet.herald.addresses;
    const servers = new Map<string, Child>();
    for (const child of [1, 2].map(() =>
      run(process.execPath, 'examples/plain-ws-server.mjs', '0', control),
    )) {
      servers.set((await child.line(/(plain-\d+) reports to/, 20_000))[1]!, child);
    }
    for (const gateway of servers.keys()) {
      await until(`${gateway} is up`, async () => (await rowOf(fleet, gateway))?.effectiveState === 'up');
    }
    const client = run(process.execPath, 'examples/own-client.mjs', fleet.url);
    const [, first] = await client.line(/connected to (plain-\d+)\nhello/, 20_000);
    await until('its ticket is counted', async () => (await rowOf(fleet, first!))?.inFlightTickets === 0);
    servers.get(first!)!.signal('SIGKILL');
    servers.delete(first!);
    const [second] = servers.keys();
    await client.line(new RegExp(`connected to ${second}\nhello`), 20_000);
  });

  it('plain-ws-server.mjs lets its clients go one by one in a drain, until it is called off', async () => {
    const child = run(process.execPath, 'examples/plain-ws-server.mjs', '0', fleet.herald.addresses.control);
    const [, gateway] = await child.line(/(plain-\d+) reports to/, 20_000);
    const sockets = [1, 2, 3].map(() => new WebSocket(`ws://127.0.0.1:${gateway!.slice('plain-'.length)}/`));
    await Promise.all(sockets.map((socket) => once(socket, 'open')));
    await until('all are counted', async () => (await rowOf(fleet, gateway!))?.connections === 3);
    const ask = (deed: string): Promise<Response> =>
      fetch(`${fleet.herald.addresses.admin}/v1/gateways/${gateway}/${deed}`, { method: 'POST' });
    await ask('drain');
    expect((await once(sockets[0]!, 'close'))[0]).toBe(4200);
    await until('it says that it drains', async () => (await rowOf(fleet, gateway!))?.state === 'draining');
    await ask('ready');
    await until('it is up again', async () => (await rowOf(fleet, gateway!))?.state === 'up');
    expect(sockets.map(({ readyState }) => readyState)).toEqual([
      WebSocket.CLOSED,
      WebSocket.OPEN,
      WebSocket.OPEN,
    ]);
    for (const socket of sockets) socket.terminate();
  });

  it('socketio-server.mjs counts connections and tickets, and lets its clients go in a drain', async () => {
    const child = run(process.execPath, 'examples/socketio-server.mjs', '0', fleet.herald.addresses.control);
    const [, gateway] = await child.line(/(socketio-\d+) reports to/, 20_000);
    await until('it is in the table', async () => (await rowOf(fleet, gateway!))?.effectiveState === 'up');
    const { url, ticket } = await lookUpOwn(fleet);
    // The wire of Socket.IO 4: 0 and 40 open a session, 42 is an event, 41 ends it.
    const socket = new WebSocket(`${url}/socket.io/?EIO=4&transport=websocket`);
    const said: string[] = [];
    socket.on('message', (data: Buffer) => said.push(data.toString()));
    await until('it is opened', () => said[0]?.startsWith('0{'));
    socket.send(`40${JSON.stringify({ ticket })}`);
    await until('it is let in', () => said[1]?.startsWith('40{'));
    socket.send('42["say","hello"]');
    await until('its echo', () => said[2] === '42["said","hello"]');
    await until('connection and ticket are counted', async () => {
      const row = await rowOf(fleet, gateway!);
      return row?.connections === 1 && row.inFlightTickets === 0;
    });
    const closed = once(socket, 'close');
    await fetch(`${fleet.herald.addresses.admin}/v1/gateways/${gateway}/drain`, { method: 'POST' });
    await closed;
    expect(said.at(-1)).toBe('41');
    await until('it says that it drains', async () => (await rowOf(fleet, gateway!))?.state === 'draining');
    child.signal('SIGTERM');
    expect(await child.exited).toBe(0);
  });

  it('gateway.sh reports a server that knows nothing of Herald', async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const child = run(
        'sh',
        'examples/gateway.sh',
        'shell-1',
        `ws://127.0.0.1:${port}/`,
        fleet.herald.addresses.control,
      );
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
      await once(socket, 'open');
      await until('it is named with its connection', async () => {
        const row = await rowOf(fleet, 'shell-1');
        return row?.effectiveState === 'up' && row.pool === 'own' && row.connections === 1;
      });
      child.signal('SIGTERM');
      await child.exited;
      await until(
        'its goodbye is heard',
        async () => (await rowOf(fleet, 'shell-1'))?.effectiveState !== 'up',
        1_500,
      );
      socket.terminate();
    } finally {
      server.close();
    }
  });
});

describe.runIf(commandPath('python3') !== undefined)('a gateway in Python', () => {
  const secret = 'correct horse battery';
  let fleet: SmallFleet;
  beforeAll(async () => {
    fleet = await launchSmallFleet(0, { herald: { secret }, broker: { secret } });
  });
  afterAll(() => fleet.close());

  const python = (gateway: string, given: string): Child => {
    const args = ['examples/gateway.py', gateway, 'ws://127.0.0.1:9/', fleet.herald.addresses.control];
    const child = startChild('python3', args, { cwd: ROOT, env: { HERALD_SECRET: given } });
    children.push(child);
    return child;
  };
  const steer = (gateway: string, deed: string): Promise<Response> =>
    fetch(`${fleet.herald.addresses.admin}/v1/gateways/${gateway}/${deed}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });

  it('signs its reports, is named, does each order once, and says goodbye', async () => {
    const child = python('py-1', secret);
    const isUp = async (): Promise<boolean> => {
      const row = await rowOf(fleet, 'py-1');
      return row?.effectiveState === 'up' && row.pool === 'own';
    };
    await until('it is named', isUp);
    await steer('py-1', 'drain');
    await until('it says that it drains', async () => (await rowOf(fleet, 'py-1'))?.state === 'draining');
    await steer('py-1', 'ready');
    await until('it is named again', isUp);
    expect(child.stdout().match(/"(drain|ready)": /g)).toEqual(['"drain": ', '"ready": ']);
    child.signal('SIGTERM');
    expect(await child.exited).toBe(0);
    expect((await rowOf(fleet, 'py-1'))?.effectiveState).toBe('draining');
    expect(child.stderr()).toBe('');
  });

  it('is not heard with another secret', async () => {
    await python('py-2', 'another secret of old').line(/: 401 .*signature made with the key of this id/);
    expect(await rowOf(fleet, 'py-2')).toBeUndefined();
  });
});
