// Defects 4, 8-13 and 15 of node-zookeeper-client 1.1.3, those of operations: each shown on the bare client
// where it can be shown, and each cured behind the coordination port. When a newer version of the package
// loses one, the bare half fails here, and the cure can go.

import { describe, expect, it } from 'vitest';
import { requireServer } from '../../launch/require-server.ts';
import { startTcpProxy } from '../../launch/tcp-proxy.ts';
import { until } from '../../launch/until.ts';
import type { BareClient } from './bare-client.ts';
import { answerOf, bareClient } from './bare-client.ts';
import { defectLab, up } from './defect-lab.ts';
import { startErrorServer } from './mute-server.ts';

const SET_WATCHES = 101;
/** Looks into the package: its queue is not part of what we use of it. */
function replaysQueued(bare: BareClient): number {
  const { queue } = (bare.connectionManager as unknown as { packetQueue: { queue: { request: Request }[] } })
    .packetQueue;
  return queue.filter(({ request }) => request.header?.type === SET_WATCHES).length;
}
interface Request {
  header: { type: number } | null;
}

describe.runIf(requireServer('zookeeper'))('defects of node-zookeeper-client: operations', () => {
  const lab = defectLab();

  it('4: queues writes while down and sends them all later; ours refuses them at once', async () => {
    const proxy = await lab.proxied();
    const bare = bareClient(proxy.address, 6_000);
    bare.connect();
    const one = await lab.oursUp(proxy.address, { sessionTimeoutMs: 6_000 });
    await until('the bare client', () => bare.events.includes('connected'));
    await one.put('/defect-4-ours', 'before');
    await one.put('/defect-4-bare', 'before');
    proxy.cut();
    await until('both to notice', () => one.state() === 'away' && bare.events.includes('disconnected'));
    const refused = await Promise.all(Array.from({ length: 500 }, () => one.put('/defect-4-ours', 'stale')));
    expect(refused.every((outcome) => !outcome.ok && outcome.why === 'away')).toBe(true);
    let bareDone = 0;
    for (let i = 0; i < 500; i++) {
      bare.setData('/defect-4-bare', Buffer.from('stale'), -1, (error) => (bareDone += error ? 0 : 1));
    }
    proxy.mend();
    await up(one);
    await until('the stale writes of the bare client', () => bareDone === 500);
    const written = await one.get('/defect-4-ours');
    expect(written).toMatchObject({ ok: true, value: { data: 'before', version: 0 } });
    expect(await one.get('/defect-4-bare')).toMatchObject({ ok: true, value: { version: 500 } });
  });

  it('8: throws out of its socket on an unknown error code; ours makes it an answer', async () => {
    const quota = await lab.keep(startErrorServer(-125));
    const bare = bareClient(quota.address, 4_000);
    const thrown: string[] = [];
    const parse = bare.connectionManager.onSocketData.bind(bare.connectionManager);
    bare.connectionManager.onSocketData = (bytes) => {
      try {
        parse(bytes);
      } catch (error) {
        thrown.push((error as Error).message);
      }
    };
    bare.connect();
    await until('the bare client', () => bare.events.includes('connected'));
    bare.setData('/x', Buffer.from(''), -1, () => {});
    await until('the throw', () => thrown.length > 0);
    expect(thrown[0]).toContain('Unknown code: -125');

    const one = await lab.oursUp(quota.address);
    const many = await Promise.all(Array.from({ length: 20 }, () => one.put('/x', 'y', 1)));
    for (const outcome of many) {
      expect(outcome).toMatchObject({ ok: false, why: 'server', detail: 'server error code -125' });
    }
    expect(one.state()).toBe('up');
    expect(one.snapshot().reconnects).toBe(0);
  });

  it('8: a real quota refuses a write and leaves the session alone', async () => {
    const one = await lab.oursUp(lab.server().address);
    await one.create('/defect-8', '');
    await one.put(
      '/zookeeper/quota/defect-8/zookeeper_limits',
      'count=-1,bytes=-1;byteHardLimit=10;countHardLimit=-1',
    );
    await one.put('/zookeeper/quota/defect-8/zookeeper_stats', 'count=1,bytes=0');
    const outcome = await one.put('/defect-8', 'x'.repeat(100));
    expect(outcome).toMatchObject({ ok: false, why: 'server' });
    expect(one.state()).toBe('up');
  });

  it('9: throws on every call after 2^31 requests; ours changes the connection before', async () => {
    const bare = await lab.bareUp(lab.server().address, 3_000);
    bare.connectionManager.xid = 2 ** 31;
    expect(() => bare.exists('/', undefined, () => {})).toThrow();

    const one = await lab.oursUp(lab.server().address, {
      maxRequestsPerConnection: 200,
      sessionTimeoutMs: 6_000,
    });
    const session = one.snapshot().sessionId;
    let done = 0;
    await until(
      'three changes of connection',
      async () => {
        done += (await one.get('/')).ok ? 1 : 0;
        return one.snapshot().reconnects >= 3;
      },
      15_000,
      1,
    );
    // Pings and the handshake are requests too.
    expect(done).toBeGreaterThan(500);
    expect(one.snapshot().sessionId).toBe(session);
  });

  it('10: queues one more replay of its watches at each attempt without a session; ours queues none', async () => {
    const server = await lab.lateServer();
    await server.start();
    // With nothing behind it the proxy does as a server without a quorum: it takes a connection and drops it.
    const proxy = await lab.keep(startTcpProxy(server.port));
    const bare = await lab.bareUp(proxy.address, 20_000);
    const watched = answerOf((done) => bare.exists('/defect-10', () => {}, done), 10_000);
    const one = await lab.oursUp(proxy.address, { sessionTimeoutMs: 20_000 });
    one.watch('/defect-10', () => {});
    expect(await watched).toBe('ok');
    await server.kill();
    await until('several replays in its queue', () => replaysQueued(bare) >= 3, 30_000);
    expect(one.state()).toBe('away');
    expect(one.snapshot()).toMatchObject({ operationsInFlight: 0, operationsWaiting: 0 });
  });

  it('10 and 11: replays watches in one packet at every attempt; ours reads them again one by one', async () => {
    const proxy = await lab.proxied();
    const one = lab.ours(proxy.address, { sessionTimeoutMs: 6_000 });
    const writer = lab.ours(lab.server().address);
    await up(one);
    await up(writer);
    // The paths of these watches together are above the 1 MiB packet that the server takes.
    const count = 1_200;
    const paths = Array.from(
      { length: count },
      (_, i) => `/defect-11/${String(i).padStart(5, '0')}${'x'.repeat(900)}`,
    );
    await writer.put('/defect-11', '');
    await Promise.all(paths.map((path) => writer.create(path, '')));
    let delivered = 0;
    for (const path of paths) one.watch(path, (entry) => (delivered += entry ? 1 : 0));
    await until('all watches', () => delivered >= count, 30_000);

    const bareProxy = await lab.proxied();
    const bare = await lab.bareUp(bareProxy.address, 6_000);
    let armed = 0;
    for (const path of paths)
      bare.getData(
        path,
        () => {},
        () => (armed += 1),
      );
    await until('its watches', () => armed === count, 30_000);

    delivered = 0;
    proxy.dropConnections();
    bareProxy.dropConnections();
    await until('all watches again', () => delivered >= count, 30_000);
    const last = paths.at(-1)!;
    let seen = '';
    one.watch(last, (entry) => (seen = entry?.data ?? ''));
    await writer.put(last, 'still watched');
    await until('the change', () => seen === 'still watched');
    expect(one.snapshot().reconnects).toBe(1);
    await until(
      'the bare client to loop',
      () => bare.events.filter((event) => event === 'disconnected').length >= 3,
      15_000,
    );
  });

  it('12: authenticates behind queued operations; ours authenticates first', async () => {
    const proxy = await lab.proxied();
    const one = await lab.oursUp(proxy.address, { digest: 'ann:secret' });
    expect(await one.put('/defect-12', 'closed')).toMatchObject({ ok: true });
    const stranger = await lab.oursUp(lab.server().address);
    expect(await stranger.get('/defect-12')).toMatchObject({ ok: false, why: 'no-auth' });
    for (let round = 0; round < 5; round++) {
      proxy.dropConnections();
      await until('the loss', () => one.snapshot().reconnects === round + 1);
      await up(one);
      const found = await Promise.all(Array.from({ length: 20 }, () => one.get('/defect-12')));
      expect(found.every((outcome) => outcome.ok)).toBe(true);
    }
    const bare = bareClient(proxy.address, 3_000);
    bare.addAuthInfo('digest', Buffer.from('ann:secret'));
    // Issued before the handshake, as the package's own examples do.
    const early = answerOf((done) => bare.getData('/defect-12', undefined, done), 3_000);
    bare.connect();
    expect(await early).toContain('NO_AUTH');
  });

  it('13: sends any number of operations at once and parses in quadratic time; ours keeps 500 under way', async () => {
    const one = await lab.oursUp(lab.server().address, { operationDeadlineMs: 30_000 });
    const bare = await lab.bareUp(lab.server().address, 30_000);
    await one.put('/defect-13', 'x'.repeat(200));
    const count = 15_000;

    let answered = 0;
    for (let i = 0; i < count; i++) bare.getData('/defect-13', undefined, () => (answered += 1));
    expect(bare.connectionManager.pendingQueue.length).toBeGreaterThan(5_000);
    await until('its answers', () => answered === count, 60_000);

    let most = 0;
    const all = await Promise.all(
      Array.from({ length: count }, async () => {
        const found = await one.get('/defect-13');
        most = Math.max(most, one.snapshot().operationsInFlight);
        return found;
      }),
    );
    expect(all.every((outcome) => outcome.ok)).toBe(true);
    expect(most).toBe(500);
    expect(one.snapshot().operationsInFlight).toBe(0);

    const flood = await Promise.all(Array.from({ length: 30_000 }, () => one.get('/defect-13')));
    expect(flood.filter((outcome) => !outcome.ok && outcome.why === 'busy').length).toBe(30_000 - 20_500);
    expect(one.state()).toBe('up');
  });

  it('15: throws on null data and on data above 1 MiB; ours refuses them as values', async () => {
    const bare = await lab.bareUp(lab.server().address, 3_000);
    expect(() => bare.setData('/x', null as unknown as Buffer, -1, () => {})).toThrow();
    expect(() => bare.setData('/x', Buffer.alloc(1_048_577), -1, () => {})).toThrow();
    const one = await lab.oursUp(lab.server().address);
    expect(await one.put('/x', null as unknown as string)).toMatchObject({ why: 'bad-data' });
    expect(await one.put('/x', 'x'.repeat(1_048_577))).toMatchObject({ why: 'bad-data' });
    const largest = 'x'.repeat(1_048_576 - 4_096);
    expect(await one.put('/defect-15', largest)).toMatchObject({ ok: true });
    expect(await one.get('/defect-15')).toMatchObject({ ok: true, value: { data: largest } });
  });
});
