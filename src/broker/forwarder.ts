// (7) When accepted messages leave: at the end of the turn of the loop while traffic is light, every 2 ms once it
// has gone on for a while, at once when much has piled up. The cost is per envelope, so waiting 2 ms under
// load is what makes 200 messages cost little more than one; a message now and then never waits.

import { ByteWriter } from '../protocol/bytes.ts';
import { PUBLICATION_LIMITS } from '../protocol/publication.ts';
import { encodeEnvelope } from '../protocol/publication-envelope.ts';
import { encodeTraceNotes } from '../protocol/publication-trace.ts';
import type { BrokerCore } from './core/broker-core.ts';
import type { PassingTraces } from './core/passing-traces.ts';
import type { OutgoingSection } from './core/pending-sections.ts';
import type { Listeners } from './broker-zmq.ts';

const GATHER_MS = 2;
/** Envelopes that leave at once: so many in a row, and so many a second over time. */
const PROMPT_BURST = 20;
const PROMPT_PER_SEC = 250;

export interface Forwarder {
  /** Something was accepted: forward it soon. */
  schedule(): void;
  /** Forwards now. */
  flush(): void;
  readonly envelopes: number;
}

export interface ForwarderParts {
  core: BrokerCore;
  traces: PassingTraces;
  listeners: Listeners;
  broadcast: (frame: Uint8Array, notes?: Uint8Array) => void;
  nowMs: () => number;
  /** Called after each flush: that is when acks may go. */
  onSent: () => void;
  /** Gets all that leaves, in envelopes of the wide lane. */
  keep?: ((envelope: Uint8Array) => void) | undefined;
}

export function createForwarder(parts: ForwarderParts): Forwarder {
  const { core, traces, listeners, broadcast, nowMs, onSent, keep } = parts;
  const writer = new ByteWriter(PUBLICATION_LIMITS.targetFrameBytes * 2);
  let timer: NodeJS.Timeout | undefined;
  let immediate: NodeJS.Immediate | undefined;
  let envelopes = 0;
  let prompt = PROMPT_BURST;
  let refilledMs = nowMs();
  /** A token bucket: true while traffic is light. */
  const mayBePrompt = (): boolean => {
    const now = nowMs();
    prompt = Math.min(PROMPT_BURST, prompt + ((now - refilledMs) / 1_000) * PROMPT_PER_SEC);
    refilledMs = now;
    if (prompt < 1) return false;
    prompt -= 1;
    return true;
  };

  const send = (frame: Uint8Array, bucket: number | undefined): void => {
    envelopes += 1;
    const notes = traces.leavingWith(bucket);
    broadcast(frame, notes && encodeTraceNotes(writer, notes));
  };
  const flush = (): void => {
    clearTimeout(timer);
    clearImmediate(immediate);
    timer = immediate = undefined;
    const sections = core.takeSections();
    traces.leave();
    for (const { bucket, bytes } of sections) {
      if (!listeners.narrow.has(bucket)) continue;
      send(encodeEnvelope(writer, 'narrow', bucket, core.epoch, [bytes]), bucket);
    }
    for (const group of listeners.wide || keep ? wideGroups(sections) : []) {
      const frame = encodeEnvelope(writer, 'wide', 0, core.epoch, group);
      if (listeners.wide) send(frame, undefined);
      keep?.(frame);
    }
    traces.left();
    onSent();
  };

  return {
    schedule() {
      if (core.pendingBytes >= PUBLICATION_LIMITS.targetFrameBytes) flush();
      else if (timer ?? immediate) return;
      else if (mayBePrompt()) immediate = setImmediate(flush);
      else timer = setTimeout(flush, GATHER_MS);
    },
    flush,
    get envelopes() {
      return envelopes;
    },
  };
}

/** Sections for one wide envelope each, near the target size; never two of a bucket in one. */
function wideGroups(sections: readonly OutgoingSection[]): Uint8Array[][] {
  const groups: Uint8Array[][] = [];
  let group: Uint8Array[] = [];
  let bytes = 0;
  let lastBucket = -1;
  for (const section of sections) {
    const full = bytes + section.bytes.length > PUBLICATION_LIMITS.targetFrameBytes * 2;
    if (group.length > 0 && (full || section.bucket === lastBucket)) {
      groups.push(group);
      group = [];
      bytes = 0;
    }
    group.push(section.bytes);
    bytes += section.bytes.length;
    lastBucket = section.bucket;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}
