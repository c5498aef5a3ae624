// (8) What follows one `ok` on the wire: what a returning client has missed or, where that cannot be given, the gap, and
// the newest message of topics whose subscribers get it at once.

import type { SubscribedItem } from '../../protocol/client-frames.ts';
import type { FetchedHistory, ResumePoint } from '../core/feed-port.ts';
import { gapFrame } from '../core/hub.ts';
import { encodeMessage } from '../core/message-frame.ts';
import type { ResumeLimits, ResumePlan } from '../core/resume.ts';
import { isWithin, replayFetched } from '../core/resume.ts';
import type { Topic } from '../core/topic.ts';
import type { GatewayParts } from '../gateway-parts.ts';

/** What the brokers told of a topic: all since the client's position, and where that cannot be had, the newest message. */
export interface Told {
  history?: FetchedHistory;
  newest?: FetchedHistory;
}

/**
 * Of replays that brokers were asked for, as far as clients have not read them: ten thousand that read nothing could ask
 * for a megabyte each. What this gateway's own histories hold is shared, and costs nothing more.
 */
export const MAX_UNREAD_BYTES = 134_217_728;

export class Replay {
  readonly #parts: GatewayParts;
  readonly #tellsGaps: boolean;
  readonly frames: Uint8Array[] = [];
  #bytes = 0;
  /** Of frames that were made for this client alone. */
  fetchedBytes = 0;

  constructor(parts: GatewayParts, tellsGaps: boolean) {
    this.#parts = parts;
    this.#tellsGaps = tellsGaps;
  }

  /**
   * Adds what a subscriber of the topic gets first, and answers where its subscription starts. `plan`: what this gateway
   * can say of `from` by itself.
   */
  begin(
    topic: Topic,
    from: ResumePoint | undefined,
    plan: ResumePlan | undefined,
    told: Told,
  ): SubscribedItem {
    const { epoch, offset } = topic.position;
    if (from === undefined) {
      const newest = this.#newest(topic, told);
      if (newest) this.#add(newest);
      return { c: topic.name, e: epoch, o: newest ? offset - 1 : offset };
    }
    const missed = this.#missed(topic, from, plan, told.history);
    if (missed) {
      for (const frame of missed) this.#add(frame);
      // The client may know another epoch than the other subscribers: the next message names it.
      topic.announceEpoch = true;
      return { c: topic.name, e: from.epoch, o: from.offset, rec: true };
    }
    const hasNewest = from.epoch === epoch && from.offset >= offset;
    const newest = hasNewest ? undefined : this.#newest(topic, told);
    const start = newest ? offset - 1 : offset;
    if (this.#tellsGaps) this.#addGap(topic, from, start);
    if (newest) this.#add(newest);
    return { c: topic.name, e: epoch, o: start, rec: false };
  }

  #add(frame: Uint8Array): void {
    this.frames.push(frame);
    this.#bytes += frame.length;
  }

  #addGap(topic: Topic, from: ResumePoint, start: number): void {
    const { hub, allocate } = this.#parts;
    const { epoch } = topic.position;
    // A client that is ahead of the topic has missed nothing that could be counted.
    const lost = from.epoch === epoch ? Math.max(0, start - from.offset) : 0;
    const [first, why] = lost > 0 ? [from.offset + 1, 'trimmed'] : [0, 'unknown'];
    this.#add(gapFrame(topic.name, epoch, first, lost, why, allocate));
    hub.ledger.gapMessages += lost;
  }

  /** One that nobody here has seen yet is kept from now on, as far as there is memory for histories. */
  #newest(topic: Topic, { history, newest }: Told): Uint8Array | undefined {
    if (!topic.sendsLast) return undefined;
    const kept = topic.history.last();
    if (kept) return kept;
    const { epoch, offset } = topic.position;
    const asked = [newest, history].flatMap((one) => (one?.complete === true ? one.messages.slice(-1) : []));
    // It may have gone on since they were asked.
    const found = asked.find((message) => message.epoch === epoch && message.offset === offset);
    if (!found) return undefined;
    const frame = encodeMessage(topic.prefix, '', offset, found.data, this.#parts.allocate);
    topic.history.push(epoch, offset, frame, -Infinity);
    return frame;
  }

  #missed(
    topic: Topic,
    from: ResumePoint,
    plan: ResumePlan | undefined,
    fetched: FetchedHistory | undefined,
  ): readonly Uint8Array[] | undefined {
    const { clock, allocate } = this.#parts;
    // One budget for the whole frame: a client with many topics must not be drowned by its own resume.
    const { maxMessages, maxBytes } = resumeLimits(this.#parts);
    const limits = { maxMessages, maxBytes: Math.max(0, maxBytes - this.#bytes) };
    if (plan?.how === 'replay') return isWithin(plan.frames, limits) ? plan.frames : undefined;
    const frames = fetched && replayFetched(topic, from, fetched, limits, clock.nowMs(), allocate);
    const bytes = frames?.reduce((sum, { length }) => sum + length, 0) ?? 0;
    if (this.#parts.unreadReplayBytes + this.fetchedBytes + bytes > MAX_UNREAD_BYTES) return undefined;
    this.fetchedBytes += bytes;
    return frames;
  }
}

/** Of one `sub`. */
export function resumeLimits({ config }: GatewayParts): ResumeLimits {
  return { maxMessages: config.resumeMessages, maxBytes: config.resumeBytes };
}

/** What the newest message follows, for a topic whose subscribers get it at once, when nobody here has seen it yet. */
export function beforeNewest({ sendsLast, position, history }: Topic): ResumePoint | undefined {
  const { epoch, offset } = position;
  return sendsLast && offset > 0 && history.messages === 0 ? { epoch, offset: offset - 1 } : undefined;
}
