// (7) -> (8) Everything of a topic since a position, whoever carried it: each living broker in its own epoch, and for
// the epochs of those that are gone or do not answer whoever kept a copy. What cannot be proven whole is not given.

import { bucketOf } from '../../protocol/bucket.ts';
import type { RepairReply, RepairRequest } from '../../protocol/publication-repair.ts';
import { NOWHERE, topicQuery } from '../core/feed-history.ts';
import type { FetchedHistory, FetchLimits, ResumePoint, TopicPosition } from '../core/feed-port.ts';
import { seenBy } from '../core/feed-port.ts';
import type { CarriedPart } from '../core/join-parts.ts';
import { bestCopy, joinParts, partOf, seenIds } from '../core/join-parts.ts';

/** One broker, as a history is asked of it. */
export interface HistorySource {
  readonly id: string;
  /** Empty while nothing was heard of it. */
  readonly epoch: string;
  mayHaveCarried(bucket: number): boolean;
  /** Undefined when it is not there or does not answer in time. */
  question(build: (request: number) => RepairRequest): Promise<RepairReply | undefined>;
}

type TopicsReply = Extract<RepairReply, { kind: 'topics' }>;
type Want = 'head' | 'since' | 'held';

/** What may be read again just to recognise twins. */
const TWIN_BYTES = 65_536;

export async function fetchHistory(
  topic: string,
  from: ResumePoint,
  limits: FetchLimits,
  owner: HistorySource,
  all: Iterable<HistorySource>,
): Promise<FetchedHistory> {
  return new Fetch(topic, from, limits, owner, [...all]).run();
}

class Fetch {
  readonly #topic: string;
  readonly #from: ResumePoint;
  readonly #limits: FetchLimits;
  readonly #owner: HistorySource;
  readonly #all: readonly HistorySource[];
  readonly #seen: ReadonlyMap<string, number>;
  readonly #answering = new Map<string, HistorySource>();
  readonly #passedAt = new Map<HistorySource, Promise<RepairReply | undefined>>();

  constructor(
    topic: string,
    from: ResumePoint,
    limits: FetchLimits,
    owner: HistorySource,
    all: readonly HistorySource[],
  ) {
    this.#topic = topic;
    this.#from = from;
    this.#limits = limits;
    this.#owner = owner;
    this.#all = all;
    this.#seen = seenBy(from);
  }

  async run(): Promise<FetchedHistory> {
    const from = this.#from;
    if (from.epoch === '') {
      const held = await this.#ask(this.#owner, 'held', NOWHERE, '');
      return joinParts([partOf(held)], new Set(), this.#limits);
    }
    if (await this.#isUnknown()) return { complete: false, why: 'epoch-gone', head: NOWHERE };
    const live = await Promise.all(this.#all.map((one) => this.#own(one)));
    const parts = live.flat();
    const known = new Set(parts.map(({ epoch }) => epoch));
    const living = this.#all.flatMap(({ epoch }) => (epoch === '' ? [] : [epoch]));
    const silent = [...new Set([...this.#seen.keys(), ...living])].filter(
      (epoch) => !known.has(epoch) && !this.#isIdle(epoch),
    );
    parts.unshift(
      ...(await Promise.all(silent.map((epoch) => this.#copied(epoch, living.includes(epoch))))).flat(),
    );
    const ownerEpoch = this.#answering.get(this.#owner.id) === undefined ? '' : this.#owner.epoch;
    // From the position on; the part of the owner comes last: from there the topic goes on.
    const rank = ({ epoch }: CarriedPart): number =>
      epoch === ownerEpoch ? 2 : epoch === from.epoch ? 0 : 1;
    parts.sort((a, b) => rank(a) - rank(b));
    return joinParts(parts, await this.#twins(parts), this.#limits);
  }

  /** No broker knows the client's last epoch. Found out first, so that a made-up position costs little. */
  async #isUnknown(): Promise<boolean> {
    if (this.#all.some(({ epoch }) => epoch === this.#from.epoch)) return false;
    const replies = await Promise.all(this.#all.map((one) => this.#passed(one)));
    return replies.every((reply) => reply?.kind === 'not-held');
  }

  /** Where a broker stood when the client's position passed there. */
  #passed(one: HistorySource): Promise<RepairReply | undefined> {
    const known = this.#passedAt.get(one);
    const asked = known ?? this.#question(one, 'head', this.#from, this.#from.epoch);
    this.#passedAt.set(one, asked);
    return asked;
  }

  /** Nothing of the topic has gone through this broker since this gateway follows it. */
  #isIdle(epoch: string): boolean {
    const one = this.#all.find((source) => source.epoch === epoch);
    return one !== undefined && !this.#seen.has(epoch) && !one.mayHaveCarried(bucketOf(this.#topic));
  }

  /** What a broker carried in its own epoch; nothing when it is silent. */
  async #own(one: HistorySource): Promise<CarriedPart[]> {
    const epoch = one.epoch === '' ? (await this.#ask(one, 'head', NOWHERE, ''))?.epoch : one.epoch;
    if (epoch === undefined) return [];
    this.#note(one);
    if (this.#isIdle(epoch)) return [];
    const reply = await this.#ownSince(one, epoch);
    if (!reply) {
      this.#answering.delete(one.id);
      return [];
    }
    if (reply.epoch === epoch) return [partOf(reply)];
    // A new life of the broker began meanwhile; the old one is asked of the others.
    return [partOf(await this.#ask(one, 'since', { epoch: reply.epoch, offset: 0 }, ''))];
  }

  /**
   * An epoch that the client has seen is read on from where it stood. One that it has not seen is read from where it was
   * when the client's position passed at that broker, or from its start. The same goes for an epoch it saw so long ago
   * that what came next is no longer held: those may have been twins, which clients are never given.
   */
  async #ownSince(one: HistorySource, epoch: string): Promise<TopicsReply | undefined> {
    const offset = this.#seen.get(epoch);
    const since = (after: number): Promise<TopicsReply | undefined> =>
      this.#ask(one, 'since', { epoch, offset: after }, '');
    const seen = offset === undefined ? undefined : await since(offset);
    if (offset !== undefined && (epoch === this.#from.epoch || seen?.answers[0]?.status !== 'trimmed')) {
      return seen;
    }
    const passed = await this.#passed(one);
    if (!passed) return undefined;
    const [answer] = passed.kind === 'topics' ? passed.answers : [];
    const start = answer?.status === 'complete' ? answer.ownOffset : 0;
    return since(Math.max(start, offset ?? 0));
  }

  /** An epoch whose broker is gone or frozen, from whoever followed it furthest. */
  async #copied(epoch: string, isLiving: boolean): Promise<CarriedPart[]> {
    const offset = this.#seen.get(epoch);
    const want = offset === undefined ? 'held' : 'since';
    const asked = await Promise.all(
      [...this.#answering.values()].map((one) => this.#ask(one, want, { epoch, offset: offset ?? 0 }, epoch)),
    );
    const best = bestCopy(
      asked.flatMap((reply) => (reply ? [partOf(reply)] : [])),
      offset,
      isLiving,
    );
    if (best) return [best];
    // A broker that died long ago has nothing more to give; one that lives, or that the client was at, may have.
    const isDue = epoch === this.#from.epoch || (isLiving && offset !== undefined);
    return isDue ? [{ epoch, head: 0, messages: [], trouble: 'epoch-gone' }] : [];
  }

  /** What the client has already seen under another number, because its publisher sent it again to another broker. */
  async #twins(parts: readonly CarriedPart[]): Promise<ReadonlySet<string>> {
    const carrying = new Set(parts.flatMap(({ epoch, messages }) => (messages.length > 0 ? [epoch] : [])));
    const others = [...this.#seen].filter(([epoch]) => carrying.size > 1 || !carrying.has(epoch));
    if (carrying.size === 0) return new Set();
    const ids = await Promise.all(
      others.map(async ([epoch, offset]) => {
        const own = [...this.#answering.values()].find((one) => one.epoch === epoch);
        const holders = own ? [own] : this.#livingHolders(epoch);
        const replies = await Promise.all(
          holders.map((one) => this.#ask(one, 'held', { epoch, offset: 0 }, own ? '' : epoch, TWIN_BYTES)),
        );
        return replies.flatMap((reply) => (reply ? seenIds(partOf(reply), offset) : []));
      }),
    );
    return new Set(ids.flat());
  }

  /** Nobody for an epoch that has ended: nothing of it can still arrive twice. */
  #livingHolders(epoch: string): HistorySource[] {
    const lives = epoch === this.#from.epoch || this.#all.some((one) => one.epoch === epoch);
    return lives ? [...this.#answering.values()] : [];
  }

  #note(one: HistorySource): void {
    this.#answering.set(one.id, one);
  }

  async #ask(
    one: HistorySource,
    want: Want,
    after: TopicPosition,
    of: string,
    maxBytes = this.#limits.maxBytes,
  ): Promise<TopicsReply | undefined> {
    const reply = await this.#question(one, want, after, of, maxBytes);
    return reply?.kind === 'topics' ? reply : undefined;
  }

  #question(
    one: HistorySource,
    want: Want,
    after: TopicPosition,
    of: string,
    maxBytes = this.#limits.maxBytes,
  ): Promise<RepairReply | undefined> {
    const queries = [topicQuery(this.#topic, want, after)];
    const { maxMessages } = this.#limits;
    return one.question((request) => ({ request, kind: 'topics', of, maxMessages, maxBytes, queries }));
  }
}
