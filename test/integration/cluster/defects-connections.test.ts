// Defects 1-3, 5-7 and 14 of node-zookeeper-client 1.1.3, those of connections and sessions: each shown on the bare client
// where it can be shown, and each cured behind the coordination port. When a newer version of the package
// loses one, the bare half fails here, and the cure can go.

import { describe, expect, it } from 'vitest';
import type { Coordination } from '../../../src/cluster/coordination.ts';
import { zookeeperCoordination } from '../../../src/cluster/coordination-zookeeper.ts';
import { openConnection } from '../../../src/cluster/zookeeper-connection.ts';
import { freePort } from '../../launch/free-port.ts';
import { requireServer } from '../../launch/require-server.ts';
import { pause, until } from '../../launch/until.ts';
import { answerOf, bareClient, destroyBareClients } from './bare-client.ts';
import { defectLab, up } from './defect-lab.ts';
import { startClosingServer, startMuteServer } from './mute-server.ts';

describe.runIf(requireServer('zookeeper'))('defects of node-zookeeper-client: connections', () => {
  const lab = defectLab();

  it('1: has no read deadline, so a frozen server keeps it waiting; ours leaves it and moves on', async () => {
    const bareProxy = await lab.proxied();
    const bare = await lab.bareUp(bareProxy.address, 1_500);
    const pair = [await lab.proxied(), await lab.proxied()] as const;
    const one = lab.ours(pair.map(({ address }) => address).join(','), { sessionTimeoutMs: 3_000 });
    const states: string[] = [];
    one.onState((state) => states.push(state));
    await up(one);
    const session = one.snapshot().sessionId;
    const inUse = pair.find(({ address }) => address === one.snapshot().server)!;
    bareProxy.freeze();
    inUse.freeze();
    const frozenMs = performance.now();
    const bareAnswer = answerOf((done) => bare.exists('/', undefined, done), 4_000);
    await until('ours to leave', () => states.includes('away'), 6_000);
    await until('ours to be elsewhere', () => one.state() === 'up', 6_000);
    expect(performance.now() - frozenMs).toBeLessThan(1.5 * 3_000);
    expect(one.snapshot().server).not.toBe(inUse.address);
    expect(one.snapshot().sessionId).toBe(session);
    expect(await one.put('/defect-1', 'x')).toMatchObject({ ok: true });
    expect(await bareAnswer).toBe('silent');
    expect(bare.events).toEqual(['connected']);
  });

  it('2 and 3: started before the server it may never connect and says nothing; ours connects each time', async () => {
    for (let round = 0; round < 5; round++) {
      const late = await lab.lateServer();
      const bare = bareClient(late.address, 3_000);
      bare.connect();
      const one = lab.ours(late.address);
      const states: string[] = [];
      one.onState((state) => states.push(state));
      await pause(300);
      expect(bare.events.filter((event) => event !== 'disconnected')).toEqual([]);
      expect(one.state()).toBe('connecting');
      expect(await one.get('/')).toMatchObject({ ok: false, why: 'away' });
      await late.start();
      const readyMs = performance.now();
      await up(one);
      expect(performance.now() - readyMs).toBeLessThan(4_000);
      expect(states).toEqual(['up']);
      await one.close();
      destroyBareClients();
    }
    // Five starts of a JVM: on a busy machine they alone take a minute.
  }, 180_000);

  it('2: has no handshake deadline, so a mute server holds it for ever; ours tries the next one', async () => {
    const mute = await lab.keep(startMuteServer());
    const bare = bareClient(mute.address, 3_000);
    bare.connect();
    const one = await lab.oursUp(`${mute.address},${lab.server().address}`, { handshakeDeadlineMs: 500 });
    expect(one.snapshot().server).toBe(lab.server().address);
    await pause(4_000);
    expect(bare.events).toEqual([]);
    expect(mute.connections()).toBeGreaterThan(0);
  });

  it('3: says nothing of a server that refuses or closes the handshake; ours has ended at once', async () => {
    const closing = await lab.keep(startClosingServer());
    for (const address of [closing.address, `127.0.0.1:${await freePort()}`]) {
      const bare = bareClient(address, 3_000);
      bare.connect();
      // Without a deadline of the supervisor's: a connection that does not end by itself fails here for good.
      const end = await new Promise((onEnd) =>
        openConnection({ server: address, sessionTimeoutMs: 3_000, onEnd }),
      );
      expect(end).toBe('lost');
      expect(bare.events).toEqual([]);
    }
  });

  it('5: stays expired for ever; ours opens a new session with its ephemerals and watches', async () => {
    const proxy = await lab.proxied();
    const bare = bareClient(proxy.address, 1_000);
    bare.connect();
    const one = lab.ours(proxy.address, { sessionTimeoutMs: 1_000 });
    const direct = lab.ours(lab.server().address);
    await up(one);
    await up(direct);
    const entry = one.ephemeral('/defect-5/me', 'here');
    await until('the entry', () => entry.state() === 'held');
    let seen = '';
    one.watch('/defect-5/watched', (found) => (seen = found?.data ?? ''));
    const before = one.snapshot().sessionId;
    proxy.cut();
    await until('the expiry', async () => !(await direct.get('/defect-5/me')).ok, 15_000);
    await direct.put('/defect-5/watched', 'changed meanwhile');
    proxy.mend();
    const mendedMs = performance.now();
    await until('a new session', () => one.state() === 'up' && one.snapshot().sessionId !== before);
    await until('the entry again', () => entry.state() === 'held');
    await until('the change', () => seen === 'changed meanwhile');
    expect(performance.now() - mendedMs).toBeLessThan(2_000);
    expect(one.snapshot().expiries).toBe(1);
    await direct.put('/defect-5/watched', 'and again');
    await until('the next change', () => seen === 'and again');

    await until('the bare client to hear', () => bare.events.includes('expired'));
    await pause(1_500);
    expect(bare.events.lastIndexOf('connected')).toBeLessThan(bare.events.indexOf('expired'));
    expect(await answerOf((done) => bare.exists('/', undefined, done), 1_000)).not.toBe('ok');
  });

  it('6: sends no ping while events come in, and loses its session; ours keeps it', async () => {
    const bare = bareClient(lab.server().address, 1_200);
    bare.connect();
    const one = lab.ours(lab.server().address, { sessionTimeoutMs: 1_200 });
    const writer = lab.ours(lab.server().address);
    await up(one);
    await up(writer);
    await until('the bare client', () => bare.events.includes('connected'));
    await writer.put('/defect-6', '0');
    // Many one-shot watches armed at once, fired one after the other: only the server talks.
    for (let i = 0; i < 40; i++) await writer.put(`/defect-6-${i}`, '');
    for (let i = 0; i < 40; i++)
      bare.getData(
        `/defect-6-${i}`,
        () => {},
        () => {},
      );
    one.watch('/defect-6', () => {});
    await pause(100);
    const session = one.snapshot().sessionId;
    for (let i = 0; i < 40; i++) {
      await writer.put(`/defect-6-${i}`, 'x');
      await writer.put('/defect-6', String(i));
      await pause(100);
    }
    expect(bare.events).toContain('disconnected');
    expect(one.state()).toBe('up');
    expect(one.snapshot().sessionId).toBe(session);
    expect(one.snapshot().reconnects).toBe(0);
  });

  it('7: keeps half a reply for the next connection; ours starts clean', async () => {
    const proxy = await lab.proxied();
    const bareProxy = await lab.proxied();
    const one = await lab.oursUp(proxy.address);
    await one.put('/defect-7', 'x'.repeat(50_000));
    const bare = await lab.bareUp(bareProxy.address, 3_000);
    bareProxy.cutAfterBytes(2_000);
    proxy.cutAfterBytes(2_000);
    bare.getData('/defect-7', undefined, () => {});
    expect(await one.get('/defect-7')).toMatchObject({ ok: false, why: 'lost' });
    await up(one);
    for (let i = 0; i < 5; i++) {
      const found = await one.get('/defect-7');
      expect(found.ok && found.value.data.length).toBe(50_000);
    }
    await until('the bare client to be cut', () => bare.events.includes('disconnected'));
    expect(bare.connectionManager.pendingBuffer?.length ?? 0).toBeGreaterThan(0);
  });

  it('14: cannot be closed before it connected or against a mute server; ours closes in every state', async () => {
    expect(() => bareClient('127.0.0.1:1', 3_000).close()).toThrow();
    const mute = await lab.keep(startMuteServer());
    const frozen = await lab.proxied();
    const bare = await lab.bareUp(frozen.address, 4_000);
    frozen.freeze();
    bare.close();
    await pause(3_000);
    expect(bare.events).toEqual(['connected']);
    expect(bare.connectionManager.socket?.destroyed).toBe(false);
    const closes = async (one: Coordination): Promise<void> => {
      const startMs = performance.now();
      await one.close();
      await one.close();
      expect(performance.now() - startMs).toBeLessThan(2_500);
      expect(one.state()).toBe('closed');
    };
    await closes(zookeeperCoordination({ address: '127.0.0.1:1' }));
    const waiting = zookeeperCoordination({ address: mute.address });
    await until('the connect', () => mute.connections() > 0);
    await closes(waiting);
    const proxy = await lab.proxied();
    const connected = zookeeperCoordination({ address: proxy.address });
    await up(connected);
    proxy.freeze();
    await closes(connected);
    proxy.thaw();
    const away = zookeeperCoordination({ address: proxy.address });
    await up(away);
    proxy.cut();
    await until('away', () => away.state() === 'away');
    await closes(away);
  });
});
