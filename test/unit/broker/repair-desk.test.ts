import { describe, expect, it } from 'vitest';
import { BrokerCore, DEFAULT_BROKER_LIMITS } from '../../../src/broker/core/broker-core.ts';
import { createRepairDesk } from '../../../src/broker/repair-desk.ts';
import type { RepairDesk } from '../../../src/broker/repair-desk.ts';
import { bucketsWhere, hasBucket } from '../../../src/protocol/bucket.ts';
import { ByteWriter } from '../../../src/protocol/bytes.ts';
import { createFrameNames } from '../../../src/protocol/publication.ts';
import { decodeRepairReply, encodeRepairRequest } from '../../../src/protocol/publication-repair.ts';
import type { RepairRequest } from '../../../src/protocol/publication-repair.ts';

interface Asked {
  desk: RepairDesk;
  clock: { nowMs: number };
  /** A link asks for the heads and says that it wants `bucket`. */
  wants: (link: string, bucket: number) => void;
  /** Whether a bridge that asks is told that somebody wants `bucket`. */
  isWanted: (bucket: number) => boolean;
}

function aDesk(): Asked {
  const clock = { nowMs: 0 };
  const core = new BrokerCore('e1', 'main', 0, DEFAULT_BROKER_LIMITS);
  let last: Uint8Array = new Uint8Array();
  const desk = createRepairDesk(
    core,
    (_peer, frame) => (last = frame.slice()),
    () => clock.nowMs,
  );
  const ask = (link: string, request: RepairRequest): void =>
    desk.take(Buffer.from(link), Buffer.from(encodeRepairRequest(new ByteWriter(), request)));
  return {
    desk,
    clock,
    wants(link, bucket) {
      const interest = bucketsWhere((one) => one === bucket);
      ask(link, { request: 1, kind: 'heads', of: '', interest });
    },
    isWanted(bucket) {
      ask('bridge', { request: 2, kind: 'interest' });
      const reply = decodeRepairReply(last, createFrameNames());
      if (!reply.ok || reply.value.kind !== 'interest') throw new Error('no interest in the reply');
      return hasBucket(reply.value.interest, bucket);
    },
  };
}

describe('the repair desk', () => {
  it('forgets what a gateway wanted that was killed', () => {
    const { clock, wants, isWanted } = aDesk();
    wants('killed', 7);
    wants('alive', 8);
    clock.nowMs = 10_000;
    wants('alive', 8);
    expect([isWanted(7), isWanted(8)]).toEqual([true, true]);
    clock.nowMs = 13_000;
    expect([isWanted(7), isWanted(8)]).toEqual([false, true]);
  });

  it('waits at a drain for a gateway that came after 10,000 others were killed', async () => {
    const { desk, clock, wants } = aDesk();
    for (let i = 0; i < 10_000; i++) wants(`killed-${i}`, 7);
    clock.nowMs = 13_000;
    wants('alive', 8);
    expect(await desk.everybodyLeft(1)).toEqual({ waitingFor: 1 });
  });
});
