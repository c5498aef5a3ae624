// (7) One broker as a subscriber (a gateway's link, a bridge) has it: sockets, feed, filters. Decodes frames
// and hands them to the feed; says goodbye to a draining broker once everything has come.

import type { Log } from '../daemon/log.ts';
import type { CurveClient } from '../daemon/zeromq-options.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';
import { bucketsWhere } from '../protocol/bucket.ts';
import { createFrameNames } from '../protocol/publication.ts';
import type { SequencedMessage } from '../protocol/publication-envelope.ts';
import { decodeBrokerOut, HEADS_FILTER } from '../protocol/publication-envelope.ts';
import type { RepairReply, RepairRequest } from '../protocol/publication-repair.ts';
import type { TraceNote } from '../protocol/publication-trace.ts';
import { decodeTraceNotes } from '../protocol/publication-trace.ts';
import { decodeRepairReply } from '../protocol/publication-repair.ts';
import { CutOff } from './core/cut-off.ts';
import { BrokerFeed } from './core/feed-broker.ts';
import type { FollowedEpoch } from './core/recover-epoch.ts';
import type { Questions } from './core/questions.ts';
import type { BrokerSockets } from './broker-sockets-zmq.ts';
import { openBrokerSockets } from './broker-sockets-zmq.ts';
import { BucketFilters } from './bucket-filters.ts';
import { ReachLog } from './reach-log.ts';

type LossCause = 'trimmed' | 'broker-lost';

export interface ConnectionHost {
  interestSince: (bucket: number) => number | undefined;
  questions: Questions;
  nowMs: () => number;
  /** Whether the broker may tell bridges that these buckets are wanted; false for who only keeps a copy. */
  wantedHere: boolean;
  /** See BrokerFeedActions. */
  fromStart?: (bucket: number, epoch: string, beganMs: number) => void;
  deliver: (bucket: number, epoch: string, messages: readonly SequencedMessage[], first: number) => void;
  lost: (from: BrokerConnection, bucket: number, epoch: string, count: number, why: LossCause) => void;
  /** The connection is broken for a while already; `followed` may be mended from elsewhere meanwhile. */
  broken: (from: BrokerConnection, followed: FollowedEpoch) => void;
  /** A life of the broker is over. */
  ended: (from: BrokerConnection, followed: FollowedEpoch) => void;
  repaired: (count: number) => void;
  /** Notes of traced messages; told before the messages that came with them. */
  traced?: (notes: readonly TraceNote[]) => void;
  onConnected: (connection: BrokerConnection, connected: boolean) => void;
  log: Log;
}

/** A broker must hear from a gateway this often; when it drains it does not wait for one that is silent. */
const PRESENCE_MS = 5_000;
/** After a connection has been broken this long, what is missing is asked of other brokers, and again this often. */
const MEND_MS = 1_000;
const QUESTION_MS = 1_500;
/** What a handshake may take, on a busy machine too. */
const ARRIVAL_MS = 1_000;

export class BrokerConnection {
  readonly id: string;
  /** Counts of resent messages when the connection broke. */
  resentBefore: Uint32Array | undefined;
  lagMs = 0;
  envelopes = 0;
  repairRequests = 0;
  badFrames = 0;
  readonly #host: ConnectionHost;
  readonly #curve: CurveClient | undefined;
  readonly #reach: ReachLog;
  readonly #feed: BrokerFeed;
  #cutOff = new CutOff();
  readonly #names = createFrameNames();
  #address: BrokerAddress;
  #sockets: BrokerSockets;
  #filters: BucketFilters;
  #presentMs = 0;
  /** Asked for the feed. A late answer to a question about another broker's epoch must not reach it. */
  readonly #headsRequests = new Set<number>();
  #left = '';
  #wasConnected = false;
  #isClosed = false;
  #openedMs = 0;
  #brokenMs = 0;

  constructor(address: BrokerAddress, curve: CurveClient | undefined, host: ConnectionHost) {
    this.id = address.id;
    this.#address = address;
    this.#curve = curve;
    this.#host = host;
    this.#reach = new ReachLog(host.log);
    this.#feed = new BrokerFeed(
      {
        fromStart: (bucket, epoch, beganMs) => host.fromStart?.(bucket, epoch, beganMs),
        deliver: host.deliver,
        lost: (bucket, epoch, count, why) => host.lost(this, bucket, epoch, count, why),
        ended: (followed) => host.ended(this, this.#withCut(followed)),
        askHeads: () => {
          // One that drains takes the question for a sign that it is still needed.
          this.#left = '';
          // So that bridges know what is worth bringing.
          const isWanted = (bucket: number) => host.wantedHere && host.interestSince(bucket) !== undefined;
          const request = host.questions.number();
          this.#headsRequests.add(request);
          this.ask({ request, kind: 'heads', of: '', interest: bucketsWhere(isWanted) });
        },
        askRange: (bucket, fromSequence, toSequence) => {
          this.repairRequests += 1;
          // After a reconnect the broker may be in a new epoch, and must not answer for this one.
          const range = { of: this.epoch, bucket, fromSequence, toSequence };
          this.ask({ request: host.questions.number(), kind: 'range', ...range });
        },
      },
      host.interestSince,
    );
    this.#sockets = this.#open();
    this.#filters = new BucketFilters(this.#sockets);
  }

  /** Still on its first way in: whoever has the choice waits a moment rather than ask another. */
  get arriving(): boolean {
    return !this.#wasConnected && this.#host.nowMs() - this.#openedMs < ARRIVAL_MS;
  }

  get connected(): boolean {
    return this.#sockets.connected;
  }

  get epoch(): string {
    return this.#feed.epoch;
  }

  mayHaveCarried(bucket: number): boolean {
    return this.#feed.mayHaveCarried(bucket);
  }

  /** Whether messages of a bucket are known to be missing that may still come. */
  lacks(bucket: number, epoch: string): boolean {
    return this.#feed.lacks(bucket, epoch);
  }

  ask(request: RepairRequest): void {
    this.#sockets.ask(request);
  }

  /** Undefined when it is not there or does not answer in time. */
  question(build: (request: number) => RepairRequest): Promise<RepairReply | undefined> {
    if (!this.connected) return Promise.resolve(undefined);
    const { questions, nowMs } = this.#host;
    return questions.ask(nowMs() + QUESTION_MS, (request) => this.ask(build(request)));
  }

  /** Joins buckets that are new, forgets those that are no longer wanted. */
  refresh(): void {
    this.#presentMs = this.#host.nowMs();
    if (this.connected) this.#feed.refresh(this.#presentMs);
    else this.#feed.outOfReach();
  }

  /** The broker came back, here or somewhere else; also after `close`. */
  moveTo(address: BrokerAddress): void {
    const same = this.#address.subscribe === address.subscribe && this.#address.repair === address.repair;
    this.#address = address;
    if (same && !this.#isClosed) return;
    // While it was closed nobody looked: that was no sleep.
    if (this.#isClosed) this.#cutOff = new CutOff();
    else this.#turnAway();
    this.#isClosed = false;
    this.#sockets = this.#open();
    this.#filters = new BucketFilters(this.#sockets);
  }

  /** What a Herald knows of it; what is missed while it cannot be heard shows in no sequence. */
  listed({ epoch, silentMs }: BrokerAddress): void {
    if (epoch === this.epoch && silentMs !== undefined) this.#cutOff.announced(this.#host.nowMs() - silentMs);
  }

  /** Takes everything, or only the given buckets. */
  listen(wide: boolean, buckets: readonly number[]): void {
    this.#filters.listen(wide, buckets);
  }

  filter(bucket: number, wanted: boolean): void {
    this.#filters.filter(bucket, wanted);
  }

  tick(): void {
    const now = this.#host.nowMs();
    const slept = this.#cutOff.tick(now);
    if (!this.connected) {
      this.#reach.tick(this.#address, now);
      if (this.epoch !== '' && now - this.#brokenMs > MEND_MS) {
        this.#brokenMs = now;
        this.#host.broken(this, this.#withCut(this.#feed.followed));
      }
      return;
    }
    this.#feed.tick(now);
    // What was asked before a sleep is not answered after it: until the broker is, its death looks like a cut during that.
    if (slept) this.#headsRequests.clear();
    if (!this.#hasLeft && (slept || now - this.#presentMs > PRESENCE_MS)) this.refresh();
    this.#leaveIfDone();
  }

  /** What is known to be missing will not come, unless the broker does. `isStopping`: all of this subscriber ends. */
  close(isStopping = false): void {
    this.#isClosed = true;
    if (isStopping) this.#reach.stop();
    this.#turnAway();
    this.#feed.end(this.#host.nowMs());
  }

  #turnAway(): void {
    if (this.connected) {
      this.#sayGoodbye();
      this.#cutOff.left();
    }
    this.#sockets.close();
  }

  #open(): BrokerSockets {
    this.#openedMs = this.#host.nowMs();
    this.#reach.opened(this.#openedMs);
    this.#wasConnected = false;
    const sockets = openBrokerSockets(this.#address, this.#curve, {
      onEnvelope: (frame, notes) => this.#takeEnvelope(frame, notes),
      onReply: (frame) => this.#takeReply(frame),
      onConnected: (connected) => {
        if (connected) {
          this.#wasConnected = true;
          this.refresh();
        } else {
          this.#brokenMs = this.#host.nowMs();
          this.#cutOff.broke(this.#brokenMs);
          this.#headsRequests.clear();
          this.#feed.outOfReach();
        }
        this.#reach.connected(this.id, connected, this.#host.nowMs());
        this.#host.onConnected(this, connected);
      },
      onRefused: (why) => this.#reach.refused(why),
    });
    sockets.subscribe(HEADS_FILTER);
    return sockets;
  }

  #takeEnvelope(frame: Uint8Array, notes: Uint8Array | undefined): void {
    const noted = notes && this.#host.traced && decodeTraceNotes(notes, this.#names);
    if (noted?.ok) this.#host.traced?.(noted.value);
    const decoded = decodeBrokerOut(frame, this.#names);
    if (!decoded.ok) {
      this.badFrames += 1;
      return;
    }
    if (decoded.value.kind === 'envelope') {
      this.envelopes += 1;
      this.#feed.envelope(decoded.value, this.#host.nowMs());
    } else {
      this.lagMs = Math.max(0, Date.now() - decoded.value.nowMs);
      this.#feed.heartbeat(decoded.value, this.#host.nowMs());
      this.#leaveIfDone();
    }
    // What lay in a socket when the connection broke is no news of the broker.
    if (this.connected) this.#cutOff.heard(this.#host.nowMs());
  }

  #withCut(followed: FollowedEpoch): FollowedEpoch {
    const { isCut, brokenMs } = this.#cutOff;
    // One that said goodbye had nothing more to say.
    return { ...followed, quietMs: brokenMs, wasCut: isCut && this.#left !== followed.epoch };
  }

  #takeReply(frame: Uint8Array): void {
    const decoded = decodeRepairReply(frame, this.#names);
    if (!decoded.ok) {
      this.badFrames += 1;
      return;
    }
    const reply = decoded.value;
    // What somebody asked by a question of its own is not for the feed.
    if (this.#host.questions.answer(reply)) return;
    if (reply.kind === 'heads' && !this.#headsRequests.delete(reply.request)) return;
    if (reply.kind === 'range') this.#host.repaired(reply.section.messages.length);
    this.#feed.reply(reply, this.#host.nowMs());
    if (reply.kind === 'heads' && this.connected) this.#cutOff.answered(this.#host.nowMs());
    this.#leaveIfDone();
  }

  get #hasLeft(): boolean {
    return this.#left !== '' && this.#left === this.epoch;
  }

  #leaveIfDone(): void {
    if (!this.#feed.complete || this.#hasLeft) return;
    this.#left = this.#feed.epoch;
    this.#sayGoodbye();
  }

  #sayGoodbye(): void {
    this.ask({ request: this.#host.questions.number(), kind: 'leave' });
  }
}
