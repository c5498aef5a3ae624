// (7) Answers gateways on the repair socket and remembers who they are, so that a draining broker knows when
// everybody has everything and it may go.

import type { BucketSet } from '../protocol/bucket.ts';
import { addBuckets, emptyBucketSet } from '../protocol/bucket.ts';
import { ByteWriter } from '../protocol/bytes.ts';
import { createFrameNames } from '../protocol/publication.ts';
import { decodeRepairRequest, encodeRepairReply } from '../protocol/publication-repair.ts';
import type { BrokerCore } from './core/broker-core.ts';

/** Links ask for the heads every 5 s; one unheard of for longer is not waited for. */
const PRESENT_MS = 12_000;
const MAX_LINKS = 10_000;
const NONE = emptyBucketSet();

export interface RepairDesk {
  take(peer: Buffer, frame: Buffer): void;
  /** Resolves once every present link has said goodbye, or after `deadlineMs`. */
  everybodyLeft(deadlineMs: number): Promise<{ waitingFor: number }>;
}

export function createRepairDesk(
  core: BrokerCore,
  reply: (peer: Buffer, frame: Uint8Array) => void,
  nowMs: () => number,
): RepairDesk {
  const names = createFrameNames();
  const writer = new ByteWriter();
  const present = new Map<string, { heardMs: number; interest: BucketSet }>();
  let onLeave: () => void = () => {};

  /** Forgets the links unheard of for too long; returns how many are left. */
  const forgetSilent = (): number => {
    const now = nowMs();
    for (const [link, { heardMs }] of present) if (now - heardMs > PRESENT_MS) present.delete(link);
    return present.size;
  };

  const interest = (): BucketSet => {
    forgetSilent();
    const all = emptyBucketSet();
    for (const link of present.values()) addBuckets(all, link.interest);
    return all;
  };

  return {
    take(peer, frame) {
      const request = decodeRepairRequest(frame, names);
      if (!request.ok) {
        core.noteBadFrame();
        return;
      }
      const link = peer.toString('latin1');
      if (request.value.kind === 'leave') present.delete(link);
      else if (
        request.value.kind === 'heads' &&
        request.value.of === '' &&
        (present.has(link) || present.size < MAX_LINKS || forgetSilent() < MAX_LINKS)
      ) {
        present.set(link, { heardMs: nowMs(), interest: request.value.interest });
      }
      reply(
        peer,
        encodeRepairReply(
          writer,
          core.answer(request.value, request.value.kind === 'interest' ? interest() : NONE, nowMs()),
        ),
      );
      if (request.value.kind === 'leave') onLeave();
    },
    everybodyLeft(deadlineMs) {
      return new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(overdue);
          onLeave = () => {};
          resolve({ waitingFor: present.size });
        };
        const overdue = setTimeout(done, deadlineMs);
        onLeave = () => {
          if (forgetSilent() === 0) done();
        };
        onLeave();
      });
    },
  };
}
