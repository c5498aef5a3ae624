// (7) -> (8) What the gateway's hub sees of the brokers: ordered messages in, gaps told and counted, history
// on request. The link (broker-link.ts) stands behind it; tests of the hub stand a plain object there.

import type { BrokerAddress } from '../../protocol/broker-address.ts';
import type { TraceStamp } from '../../protocol/publication-trace.ts';

/** Where a topic stands: offsets grow by one a message within an epoch. Epoch '' = nothing is known yet. */
export interface TopicPosition {
  epoch: string;
  offset: number;
}

/** Where a client stands that comes back: in the epoch it saw last, and in those it saw before. */
export interface ResumePoint extends TopicPosition {
  also?: readonly TopicPosition[];
}

/**
 * How far a client has seen each epoch. Two gateways may give it the messages of two epochs in another order. An empty
 * epoch beside another says only that it waited for a broker once.
 */
export function seenBy({ epoch, offset, also = [] }: ResumePoint): Map<string, number> {
  const named = also.filter((one) => one.epoch !== '');
  return new Map([...named.map((one) => [one.epoch, one.offset] as const), [epoch, offset]]);
}

/** One message for one topic. */
export interface DeliveredMessage extends TopicPosition {
  topic: string;
  /**
   * The published JSON, UTF-8, checked by the broker. A view on the received envelope: whoever keeps it longer
   * than the call copies it, or keeps up to 256 KB alive with it.
   */
  data: Uint8Array;
  /** When the publisher handed it over, epoch ms by the publisher's clock. */
  publishedAtMs: number;
  /** Of a history: another broker carried it too, maybe. Then it may not come again here. */
  hasTwin?: true;
}

/**
 * Messages of a subscribed topic that will never come. Only this tells of loss: a change of epoch or a first
 * offset above 1 is no loss by itself, so the hub must not infer gaps from offsets.
 */
export interface FeedGap {
  topic: string;
  epoch: string;
  /** Offset of the first lost message; 0 when it is not known. */
  fromOffset: number;
  /** Exact number of lost messages of this topic; 0 when it is not known (`why` says so). */
  count: number;
  why: 'trimmed' | 'broker-lost' | 'unknown';
}

/** What the brokers still hold of a topic after a position. */
export type FetchedHistory =
  | {
      /** Every message after the position follows, oldest first. */
      complete: true;
      messages: DeliveredMessage[];
      head: TopicPosition;
      /** How far it goes in each epoch. */
      reached: ReadonlyMap<string, number>;
    }
  | { complete: false; why: FetchTrouble; head: TopicPosition };

/** `over-limit`: more than the asked maximum; `trimmed`: no longer held; `epoch-gone`: its broker is not there. */
export type FetchTrouble = 'over-limit' | 'trimmed' | 'epoch-gone' | 'unavailable';

export interface FetchLimits {
  maxMessages: number;
  maxBytes: number;
}

/** A traced message that was just given to `onMessages`, and where it has been before. */
export interface TracedArrival extends TopicPosition {
  topic: string;
  publisher: string;
  sequence: number;
  publishedAtMs: number;
  /** Empty when the message came without, through repair for example. */
  stamps: readonly TraceStamp[];
}

export interface FeedEvents {
  /**
   * Messages of subscribed topics, in order within (topic, epoch), each at most once. Called synchronously as
   * an envelope arrives; must not throw and must not block.
   */
  onMessages(batch: readonly DeliveredMessage[]): void;
  /** Comes between the last message before the hole and the first after it. */
  onGap(gap: FeedGap): void;
  onTraced?(traced: TracedArrival): void;
}

export interface BrokerLink {
  /**
   * Messages of `topic` flow from now on. Resolves with the topic's head once the interest is in force: every
   * message after that head will be delivered or told as a gap (some at or before it may come too). With no
   * broker in reach it resolves after the deadline with epoch ''; the subscription stands all the same.
   * Never rejects. A second call for the same topic only asks for the head.
   */
  subscribe(topic: string): Promise<TopicPosition>;
  unsubscribe(topic: string): void;
  /**
   * Messages after `position`, whichever brokers carried them: how a client resumes at any gateway. Subscribe
   * first; messages that arrive live meanwhile may be in the answer too (compare offsets).
   * `{epoch: '', offset: 0}` asks for whatever is held. Never rejects; has a deadline of its own.
   */
  fetchSince(topic: string, position: ResumePoint, limits: FetchLimits): Promise<FetchedHistory>;
  /** Brokers come and go: connects to new ones, leaves those that are gone. Same list again = no-op. */
  setBrokers(brokers: readonly BrokerAddress[]): void;
  /** Counters for metrics, the ops page and the audit; plain data. */
  snapshot(): FeedSnapshot;
  /** Stops delivery at once; no callback after it resolved. */
  close(): Promise<void>;
}

export interface FeedSnapshot {
  brokers: { id: string; epoch: string; connected: boolean; lagMs: number }[];
  /** How much longer the newest canary took than the quickest one of its broker, ms. */
  canaryMs: number;
  topics: number;
  envelopes: number;
  /** Messages that came from brokers = delivered + notSubscribed + duplicates + canaries. */
  received: number;
  delivered: number;
  notSubscribed: number;
  duplicates: number;
  canaries: number;
  /** Messages that came late through repair. */
  repaired: number;
  repairRequests: number;
  /** Messages lost for good, whatever their topic, by the brokers' bucket sequences. */
  lost: number;
  gaps: number;
  badFrames: number;
}
