// The leader dies, and once the quorum: no lookup notices, and tables are shared again within 2 s of a
// quorum that serves.

import { pause } from '../../../launch/until.ts';
import type { Field } from '../field.ts';
import { findingOf } from '../finding.ts';
import type { Finding } from '../finding.ts';
import type { Effort, Row } from '../row.ts';
import { nextWrites, quorumServes } from '../signs.ts';

const RESUME_LIMIT_MS = 2_000;

export const leaderKilled: Row = {
  title: 'ZooKeeper leader kill -9, quorum lost',
  async run(field: Field, effort: Effort): Promise<Finding[]> {
    const { ensemble, oracle, heralds } = field;
    const leaderFinding = findingOf(oracle, {
      fault: 'ZooKeeper leader kill -9',
      measured: 'table written after quorum',
      limitMs: RESUME_LIMIT_MS,
    });
    for (let time = 0; time < effort.times(20, 1); time++) {
      await field.settle();
      const leader = await ensemble.leader();
      const atMs = oracle.fault(`leader ${leader.address} killed`);
      leaderFinding.again();
      await leader.kill();
      const servesMs = await quorumServes(field);
      for (const { herald, atMs: writtenMs } of await nextWrites(heralds, 30_000)) {
        leaderFinding.took(servesMs, writtenMs - servesMs, `${herald.id} wrote its table part`);
      }
      leaderFinding.lookups({ fromMs: atMs });
      await leader.start(false);
    }

    const quorumFinding = findingOf(oracle, {
      fault: 'ZooKeeper quorum lost',
      measured: 'table written after quorum',
      limitMs: RESUME_LIMIT_MS,
    });
    await field.settle();
    const [first, second] = ensemble.servers;
    const lostMs = oracle.fault('quorum lost: two servers killed');
    quorumFinding.again();
    await Promise.all([first!.kill(), second!.kill()]);
    await pause(effort.lasts(60_000, 4_000));
    const writes = nextWrites(heralds, 60_000);
    await first!.start(false);
    const servesMs = await quorumServes(field);
    for (const { herald, atMs } of await writes) {
      quorumFinding.took(servesMs, Math.max(0, atMs - servesMs), `${herald.id} wrote its table part`);
    }
    quorumFinding.lookups({ fromMs: lostMs });
    await second!.start(false);
    return [leaderFinding.end(), quorumFinding.end()];
  },
};
