// How brokers are found: through a real Herald, signed where it asks for that, and through ZooKeeper.

import { describe, expect, it, onTestFinished } from 'vitest';
import { watchBrokers } from '../../../src/cluster/broker-registry.ts';
import { zookeeperCoordination } from '../../../src/cluster/coordination-zookeeper.ts';
import { silentLog } from '../../../src/daemon/log.ts';
import type { BrokerHandle } from '../../../src/broker/start-broker.ts';
import type { BrokerAddress } from '../../../src/protocol/broker-address.ts';
import { createPublisher } from '../../../src/publisher/index.ts';
import { closeLater } from '../../launch/close-later.ts';
import { requireServer } from '../../launch/require-server.ts';
import { until } from '../../launch/until.ts';
import { launchZookeeper } from '../../launch/zookeeper.ts';
import { broker, brokerChild, heraldHere, listed, numbers } from './rig.ts';

const herald = async (secret = ''): Promise<string> => closeLater(await heraldHere(secret)).addresses.control;
const stateOf = async (control: string, id: string): Promise<string | undefined> =>
  (await listed(control)).find((one) => one.id === id)?.state;

describe('through Herald', () => {
  it.each(['', 'a cluster secret of some length'])(
    'announces itself and says goodbye (secret: %j)',
    async (secret) => {
      const control = await herald(secret);
      const one = closeLater(await broker('b1', { heralds: [control], secret }));
      await until('the announcement', async () => (await listed(control)).length === 1);
      expect(await listed(control)).toMatchObject([one.address()]);
      await one.close();
      expect(await listed(control)).toEqual([]);
    },
  );

  it('is not taken off the list by an earlier one of its name, neither by its word nor by its goodbye', async () => {
    const control = await herald();
    const earlier = closeLater(await broker('b1', { heralds: [control] }));
    await until('the first', async () => (await listed(control)).length === 1);
    const later = closeLater(await broker('b1', { heralds: [control] }));
    const listsLater = async (): Promise<boolean> =>
      (await listed(control)).every(({ epoch }) => epoch === later.address().epoch);
    await until('the second', listsLater);
    const word = await fetch(`${control}/v1/brokers`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(earlier.address()),
    });
    expect([word.status, await word.json()]).toMatchObject([409, { code: 'broker-replaced' }]);
    await earlier.close();
    expect(await listed(control)).toMatchObject([later.address()]);
  });

  it('is forgotten within 4 s of a kill', async () => {
    const control = await herald();
    const { child } = await brokerChild('b1', { heralds: [control] });
    onTestFinished(() => child.stop());
    await until('the announcement', async () => (await stateOf(control, 'b1')) === 'up');
    child.signal('SIGKILL');
    await until('forgotten', async () => (await stateOf(control, 'b1')) === undefined, 4_500);
  });

  it('lets publishers and HTTP publish find the owner of a topic', async () => {
    const control = await herald();
    const brokers: BrokerHandle[] = [];
    for (const id of ['b1', 'b2']) brokers.push(closeLater(await broker(id, { heralds: [control] })));
    await until('both announced', async () => (await listed(control)).length === 2);
    const publisher = closeLater(await createPublisher({ heralds: [control] }));
    await Promise.all(numbers(1, 100).map((n) => publisher.publish(`t.${n}`, n)));
    const count = (index: number): number => brokers[index]!.snapshot().ledger.forwarded;
    const direct = count(1);
    expect(count(0) + direct).toBe(100);
    expect(Math.min(count(0), direct)).toBeGreaterThan(20);
    const messages = numbers(1, 100).map((n) => ({ topic: `t.${n}`, data: n }));
    // The door's own publisher asks Herald once a second.
    await until('HTTP publish to find both', async () => {
      const before = count(1);
      await fetch(`${brokers[0]!.addresses.http}/v1/publish`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ messages }),
      });
      return count(1) - before === direct;
    });
  });
});

describe('through ZooKeeper', () => {
  it('has an entry while it lives, removed when it drains', async (context) => {
    if (!requireServer('zookeeper')) context.skip();
    const server = await launchZookeeper();
    onTestFinished(() => server.remove());
    const watching = zookeeperCoordination({ address: server.address });
    closeLater(watching);
    let seen: readonly BrokerAddress[] = [];
    const stop = watchBrokers(watching, 'main', (list) => void (seen = list), silentLog);
    onTestFinished(async () => stop());
    const one = await broker('b1', { zookeeper: server.address });
    await until('the entry', () => seen.length === 1);
    expect(seen).toEqual([one.address()]);
    await one.close();
    await until('its removal', () => seen.length === 0);
  });

  it('costs nothing when it is away', async () => {
    const one = closeLater(await broker('b1', { zookeeper: '127.0.0.1:1' }));
    const publisher = closeLater(await createPublisher({ brokers: [one.address()] }));
    await publisher.publish('x', 1);
    expect(one.snapshot().ledger.forwarded).toBe(1);
  });
});
