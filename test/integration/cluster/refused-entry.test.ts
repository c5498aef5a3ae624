// A store in which others own the folder: what stands is refused, said once, and tried again at no growing cost.

import { expect, it } from 'vitest';
import { zookeeperCoordination } from '../../../src/cluster/coordination-zookeeper.ts';
import type { Log, LogFields } from '../../../src/daemon/log.ts';
import { requireServer } from '../../launch/require-server.ts';
import { until } from '../../launch/until.ts';
import { launchZookeeper } from '../../launch/zookeeper.ts';

it.runIf(requireServer('zookeeper'))('an entry, a lease and watches that the store refuses', async () => {
  const warnings: Error[] = [];
  const warn = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warn);
  const refusals: string[] = [];
  const note = (event: string, fields?: LogFields): void => {
    if (event === 'entry-refused')
      refusals.push(`${fields?.['path'] as string} ${fields?.['why'] as string}`);
  };
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const server = await launchZookeeper();
  const { address } = server;
  const owner = zookeeperCoordination({ address, digest: 'owner:1' });
  const stranger = zookeeperCoordination({ address, digest: 'stranger:2', log });
  try {
    await until('both sessions', () => owner.state() === 'up' && stranger.state() === 'up');
    await owner.create('/closed/other', '');
    const entry = stranger.ephemeral('/closed/entry', '');
    const lease = stranger.lease('/closed/lease', '');
    const stops = [stranger.watch('/closed/other', () => {}), stranger.watchList('/closed', () => {})];
    await until('all refusals', () => refusals.length === 4);
    // Each change has it tried again, which must not leave one more watch behind each time.
    for (let i = 0; i < 30; i++) {
      entry.update(String(i));
      await stranger.get('/closed/entry');
    }
    for (const stop of stops) stop();
    expect(refusals.sort()).toEqual(
      ['/closed', '/closed/entry', '/closed/lease', '/closed/other'].map((path) => `${path} no-auth`),
    );
    expect([entry.state(), entry.refusal(), lease.held(), warnings]).toEqual([
      'absent',
      'no-auth',
      false,
      [],
    ]);
  } finally {
    process.off('warning', warn);
    await Promise.all([owner.close(), stranger.close()]);
    await server.remove();
  }
});
