// Who is there, on memory and on a real ZooKeeper: Heralds, brokers, and the one that moves connections.

import { expect, it } from 'vitest';
import { announceBroker } from '../../src/cluster/broker-registry.ts';
import { until } from '../launch/until.ts';
import { onEachStore } from './load-store-rig.ts';

onEachStore('the members of a cluster', ({ link, heralds, replicas }) => {
  it('knows the Heralds that live and forgets one that left', async () => {
    const [a, b, c] = await heralds('a', 'b', 'c');
    expect(a!.heralds.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(a!.heralds[1]?.control).toBe('http://127.0.0.1:7401/b');
    await b!.stop();
    replicas.splice(replicas.indexOf(b!), 1);
    await until('two', () => a!.heralds.length === 2 && c!.heralds.length === 2);
  });

  it('knows the brokers, their changes and their end', async () => {
    const [a] = await heralds('a');
    const broker = await link();
    const address = {
      id: 'broker-1',
      publish: 'tcp://127.0.0.1:7420',
      subscribe: 'tcp://127.0.0.1:7430',
      repair: 'tcp://127.0.0.1:7440',
      http: '',
      epoch: '9f',
      state: 'up' as const,
    };
    const announcement = announceBroker(broker.coordination, 'test', address);
    await until('the broker', () => a!.brokers.length === 1);
    expect(a!.brokers[0]).toEqual(address);
    announcement.update({ ...address, state: 'draining' });
    await until('its drain', () => a!.brokers[0]?.state === 'draining');
    await announcement.withdraw();
    await until('its end', () => a!.brokers.length === 0);
  });

  it('gives the mover lease to exactly one Herald and passes it on', async () => {
    const all = await heralds('a', 'b', 'c');
    await until('a mover', () => all.some((one) => one.moverLease));
    const first = all.filter((one) => one.store.state().mover.held);
    expect(first.length).toBe(1);
    const epoch = first[0]!.store.state().mover.epoch;
    await first[0]!.stop();
    replicas.splice(replicas.indexOf(first[0]!), 1);
    const rest = all.filter((one) => one !== first[0]);
    await until('the next mover', () => rest.some((one) => one.moverLease));
    expect(rest.filter((one) => one.store.state().mover.held).length).toBe(1);
    expect(rest.find((one) => one.store.state().mover.held)!.store.state().mover.epoch).toBeGreaterThan(
      epoch,
    );
    expect(first[0]!.moverLease).toBe(false);
  });
});
