// Two clusters and the bridges between them, all real: what is wanted passes once, and nothing runs in circles.

import { describe, expect, it } from 'vitest';
import { bridgeOptions } from '../../../src/broker/bridge/bridge-options.ts';
import type { BridgeHandle } from '../../../src/broker/bridge/bridge.ts';
import { startBridge } from '../../../src/broker/bridge/bridge.ts';
import type { BrokerHandle } from '../../../src/broker/start-broker.ts';
import { loadConfig } from '../../../src/daemon/config.ts';
import { silentLog } from '../../../src/daemon/log.ts';
import { createMetrics } from '../../../src/daemon/metrics.ts';
import { createPublisher } from '../../../src/publisher/index.ts';
import { closeLater } from '../../launch/close-later.ts';
import { httpServer } from '../../launch/http-server.ts';
import { until } from '../../launch/until.ts';
import { broker, listener, numbers, samePlace } from './rig.ts';

const cluster = async (name: string): Promise<BrokerHandle> =>
  closeLater(await broker(`${name}-1`, { cluster: name, httpListen: '' }));
const bridge = async (
  from: BrokerHandle,
  to: BrokerHandle,
  metrics = createMetrics(),
): Promise<BridgeHandle> =>
  closeLater(
    await startBridge(loadConfig(bridgeOptions, {}), {
      log: silentLog,
      metrics,
      from: [from.address()],
      to: [to.address()],
    }),
  );

describe('a bridge', () => {
  it('brings what is wanted over there, once, in order, and nothing else', async () => {
    const [east, west] = [await cluster('east'), await cluster('west')];
    const [one, other] = [await bridge(east, west), await bridge(east, west)];
    const heard = listener([west.address()]);
    closeLater(heard.link);
    await heard.link.subscribe('news.sport');
    await until('both bridges to know', () => [one, other].every((each) => each.snapshot().buckets === 1));
    const publisher = closeLater(await createPublisher({ brokers: [east.address()] }));
    await Promise.all(
      numbers(1, 300).flatMap((n) => [publisher.publish('news.sport', n), publisher.publish('unwanted', n)]),
    );
    await until('300 messages', () => heard.messages.length >= 300);
    await until('both bridges done', () => [one, other].every((each) => each.snapshot().acked === 300));
    expect(heard.values('news.sport')).toEqual(numbers(1, 300));
    expect(west.snapshot().ledger).toMatchObject({ received: 600, forwarded: 300, duplicates: 300 });
  });

  it('makes no circle with one the other way', async () => {
    const [east, west] = [await cluster('east'), await cluster('west')];
    const [there, back] = [await bridge(east, west), await bridge(west, east)];
    const [inEast, inWest] = [listener([east.address()]), listener([west.address()])];
    for (const heard of [inEast, inWest]) {
      closeLater(heard.link);
      await heard.link.subscribe('chat');
    }
    await until('both bridges to know', () => [there, back].every((each) => each.snapshot().buckets === 1));
    const publisher = closeLater(await createPublisher({ brokers: [east.address()] }));
    const westerner = closeLater(await createPublisher({ brokers: [west.address()] }));
    await Promise.all(
      numbers(1, 100).flatMap((n) => [publisher.publish('chat', n), westerner.publish('chat', -n)]),
    );
    for (const heard of [inEast, inWest]) {
      await until('200 messages', () => heard.messages.length >= 200);
      expect(heard.values('chat').filter((n) => (n as number) > 0)).toEqual(numbers(1, 100));
      expect(heard.values('chat').filter((n) => (n as number) < 0)).toEqual(numbers(1, 100).map((n) => -n));
    }
    expect([there, back].map((each) => each.snapshot().passed)).toEqual([100, 100]);
    expect([there, back].map((each) => each.snapshot().notFirstHop)).toEqual([100, 100]);
  });

  it('counts what it passed, and what it could not by cause', async () => {
    const [east, west] = [await cluster('east'), await cluster('west')];
    const metrics = createMetrics();
    const counted = (): Record<string, number> =>
      Object.fromEntries(metrics.counters().map(({ tags, total }) => [tags['cause'] ?? 'passed', total]));
    // The second one leads back to where it came from, where it is refused.
    for (const to of [west, east]) await bridge(east, to, metrics);
    expect(counted()).toEqual({ passed: 0, 'not-passed': 0, trimmed: 0, 'broker-lost': 0 });
    for (const place of [east, west]) {
      const heard = listener([place.address()]);
      closeLater(heard.link);
      await heard.link.subscribe('news');
    }
    const publisher = closeLater(await createPublisher({ brokers: [east.address()] }));
    await until('both to carry', async () => {
      await publisher.publish('news', 1);
      return counted()['passed']! > 0 && counted()['not-passed']! > 0;
    });
  });

  it('passes on through a restart of the brokers it writes to', async () => {
    const [east, west] = [await cluster('east'), await broker('west-1', { cluster: 'west', httpListen: '' })];
    const one = await bridge(east, west);
    const heard = listener([west.address()]);
    closeLater(heard.link);
    await heard.link.subscribe('news');
    await until('the bridge to know', () => one.snapshot().buckets === 1);
    const publisher = closeLater(await createPublisher({ brokers: [east.address()] }));
    await publisher.publish('news', 1);
    await until('the first', () => heard.messages.length === 1);
    await west.close();
    await publisher.publish('news', 2);
    closeLater(
      await broker('west-1', { cluster: 'west', httpListen: '', ...(await samePlace(west.address())) }),
    );
    await until('the second', () => heard.messages.length === 2);
    expect(heard.values('news')).toEqual([1, 2]);
    expect(heard.gaps).toEqual([]);
  });

  it('passes on while brokers that were restarted have not heard from their gateways', async () => {
    const [east, west] = [await cluster('east'), await broker('west-1', { cluster: 'west', httpListen: '' })];
    const one = await bridge(east, west);
    const { link } = listener([west.address()]);
    await link.subscribe('news');
    await until('the bridge to know', () => one.snapshot().buckets === 1);
    await link.close();
    await west.close();
    const place = await samePlace(west.address());
    closeLater(await broker('west-1', { cluster: 'west', httpListen: '', ...place }));
    const publisher = closeLater(await createPublisher({ brokers: [east.address()] }));
    let sent = 0;
    // It asks what is wanted twice a second.
    await until('answers that nobody is there', async () => {
      await publisher.publish('news', ++sent);
      return sent >= 150;
    });
    await until('all to be passed', () => one.snapshot().acked === sent);
  });

  it('loses nothing of a broker that a Herald just started has not heard yet', async () => {
    const one = closeLater(await broker('east-1', { cluster: 'east', httpListen: '' }));
    const other = closeLater(await broker('east-2', { cluster: 'east', httpListen: '' }));
    const west = await cluster('west');
    let listed = [one.address(), other.address()];
    let asked = 0;
    const herald = await httpServer((_request, response) => {
      asked += 1;
      response.end(JSON.stringify({ brokers: listed }));
    });
    const flags = { fromHeralds: [closeLater(herald).url] };
    const bridging = closeLater(
      await startBridge(loadConfig(bridgeOptions, { flags }), {
        log: silentLog,
        metrics: createMetrics(),
        to: [west.address()],
      }),
    );
    const heard = listener([west.address()]);
    closeLater(heard.link);
    await heard.link.subscribe('news');
    const publisher = closeLater(await createPublisher({ brokers: [other.address()] }));
    // Until the bridge has joined the topic at the broker.
    let sent = 0;
    await until('the bridge to pass', async () => {
      await publisher.publish('news', ++sent);
      return heard.messages.length > 0;
    });
    await until('all passed', () => heard.values('news').at(-1) === sent);
    const before = heard.messages.length;
    listed = [one.address()];
    const askedBefore = asked;
    await until('the bridge to know', () => asked >= askedBefore + 2);
    await publisher.publish('news', ++sent);
    await until('the last', () => heard.values('news').at(-1) === sent);
    expect(heard.messages.length).toBe(before + 1);
    expect(bridging.snapshot().lost).toBe(0);
  });

  it('says when Heralds name no brokers, and begins once they do', async () => {
    const [east, west] = [await cluster('east'), await cluster('west')];
    let listed: unknown[] = [];
    const herald = closeLater(
      await httpServer((_request, response) => void response.end(JSON.stringify({ brokers: listed }))),
    );
    const warned: object[] = [];
    closeLater(
      await startBridge(loadConfig(bridgeOptions, { flags: { fromHeralds: [herald.url] } }), {
        log: { ...silentLog, warn: (event, fields) => warned.push({ event, ...fields }) },
        metrics: createMetrics(),
        to: [west.address()],
      }),
    );
    await until('the warning', () => warned.length > 0);
    expect(warned).toEqual([{ event: 'no-brokers-named', bridge: 'bridge-1', heralds: [herald.url] }]);

    listed = [east.address()];
    const heard = listener([west.address()]);
    closeLater(heard.link);
    await heard.link.subscribe('news');
    const publisher = closeLater(await createPublisher({ brokers: [east.address()] }));
    await until('the bridge to pass', async () => {
      await publisher.publish('news', 1);
      return heard.messages.length > 0;
    });
  });
});
