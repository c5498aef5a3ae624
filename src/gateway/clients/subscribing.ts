// (8) Carries out `sub`: waits for the interest to be in force, finds what a returning client missed, and
// then, in one go that nothing can interrupt, answers, replays and joins the group. So `ok` tells the truth:
// the next message is above the offset it names.

import type { SubscribedItem, SubscribeItem } from '../../protocol/client-frames.ts';
import { CLOSE } from '../../protocol/close-codes.ts';
import type { Connection } from './connection.ts';
import type { FetchedHistory, ResumePoint } from '../core/feed-port.ts';
import { seenBy } from '../core/feed-port.ts';
import { admitOne } from '../core/rate-limit.ts';
import type { ResumePlan } from '../core/resume.ts';
import { planResume } from '../core/resume.ts';
import type { Topic } from '../core/topic.ts';
import type { GatewayParts } from '../gateway-parts.ts';
import type { Told } from './replay.ts';
import { beforeNewest, Replay, resumeLimits } from './replay.ts';

/** Subscribe frames of one client that may wait for the brokers at the same time. */
const MAX_WAITING = 32;
/** Topics of one frame that are fetched side by side: with all at once, a few clients would hold up the others. */
const FETCHES_AT_ONCE = 8;

/** A `sub` that is being carried out. */
interface Wish {
  connection: Connection;
  id: number;
  wanted: ReadonlyMap<Topic, SubscribeItem>;
  refused: readonly SubscribedItem[];
}

type Plans = ReadonlyMap<Topic, ResumePlan | undefined>;

export class Subscribing {
  readonly #parts: GatewayParts;
  /** One question to the brokers serves every client that asks it meanwhile: resumes come in crowds. */
  readonly #fetches = new Map<string, Promise<FetchedHistory>>();

  constructor(parts: GatewayParts) {
    this.#parts = parts;
  }

  /** Runs `sub` and `unsub` of one client in the order they came. */
  inOrder(connection: Connection, run: () => Promise<void> | undefined): void {
    if (!connection.work) {
      const work = run();
      if (work) this.#follow(connection, work);
      return;
    }
    connection.waitingWork += 1;
    if (connection.waitingWork > MAX_WAITING) {
      connection.close(CLOSE.rateLimited, 'too many subscribe frames at once');
      return;
    }
    const next = connection.work.then(() => {
      connection.waitingWork -= 1;
      return connection.state === 'open' ? run() : undefined;
    });
    this.#follow(connection, next);
  }

  #follow(connection: Connection, work: Promise<void>): void {
    connection.work = work;
    void work.then(() => {
      if (connection.work === work) connection.work = undefined;
    });
  }

  /** Undefined when it was done at once. */
  subscribe(connection: Connection, id: number, items: readonly SubscribeItem[]): Promise<void> | undefined {
    const { hub } = this.#parts;
    const refused: SubscribedItem[] = [];
    const wanted = new Map<Topic, SubscribeItem>();
    const has = connection.group?.topics ?? [];
    let count = has.length;
    for (const item of items) {
      const known = hub.find(item.c);
      const isNew = known === undefined || (!has.includes(known) && !wanted.has(known));
      const err = this.#whyNot(connection, known, isNew ? count : 0, isNew || item.from !== undefined);
      if (err) {
        refused.push({ c: item.c, e: '', o: 0, err });
        continue;
      }
      if (isNew) count += 1;
      const topic = known ?? this.#open(item.c);
      if (!wanted.has(topic)) hub.use(topic);
      wanted.set(topic, item);
    }
    const wish = { connection, id, wanted, refused };
    const openings = [...wanted.keys()].flatMap((topic) => topic.opening ?? []);
    if (openings.length === 0) return this.#carryOut(wish);
    return Promise.all(openings).then(() => this.#carryOut(wish));
  }

  #carryOut(wish: Wish): Promise<void> | undefined {
    const plans = this.#plansFor(wish);
    const questions = [...plans].filter(
      ([topic, plan]) =>
        plan?.how === 'fetch' || (plan?.how !== 'replay' && beforeNewest(topic) !== undefined),
    );
    if (questions.length === 0) return this.#finish(wish, plans, new Map());
    return this.#carryOutLater(wish, questions);
  }

  async #carryOutLater(wish: Wish, questions: [Topic, ResumePlan | undefined][]): Promise<void> {
    const told = new Map<Topic, Told>();
    const next = async (): Promise<void> => {
      for (let one = questions.pop(); one; one = questions.pop()) {
        const [topic, plan] = one;
        const from = positionOf(wish.wanted.get(topic)!);
        told.set(topic, await this.#ask(topic, plan?.how === 'fetch' ? from : undefined));
      }
    };
    await Promise.all(Array.from({ length: FETCHES_AT_ONCE }, next));
    // Messages have come meanwhile, and others may have been let go of.
    await this.#finish(wish, this.#plansFor(wish), told);
  }

  /** Why a topic is refused: `others` = those of the client before it, where it would be one more. */
  #whyNot(
    connection: Connection,
    known: Topic | undefined,
    others: number,
    costsQuestions: boolean,
  ): SubscribedItem['err'] {
    const { maxTopics, maxGatewayTopics, newTopicsPerSec } = this.#parts.config;
    if (others >= maxTopics) return { code: CLOSE.tooManyTopics, msg: `at most ${maxTopics} topics` };
    if (known === undefined && this.#parts.hub.topicCount >= maxGatewayTopics) {
      return { code: CLOSE.rateLimited, msg: `this gateway has ${maxGatewayTopics} topics already` };
    }
    if (!costsQuestions || this.#mayHaveNew(connection)) return undefined;
    return { code: CLOSE.rateLimited, msg: `more than ${newTopicsPerSec} new topics a second` };
  }

  /**
   * A topic that is new here costs a question to the brokers and lingers after its client has left; a resume costs
   * several questions, each time. The burst is as many topics as a client may have, since it brings them all when it
   * reconnects.
   */
  #mayHaveNew(connection: Connection): boolean {
    const { clock, config } = this.#parts;
    const nowMs = clock.nowMs();
    connection.topicRate ??= { allowance: config.maxTopics, updatedMs: nowMs };
    return admitOne(connection.topicRate, config.newTopicsPerSec, config.maxTopics, nowMs);
  }

  #open(name: string): Topic {
    const { hub, link } = this.#parts;
    const topic = hub.topic(name);
    topic.opening = link.subscribe(name).then((head) => hub.opened(topic, head, this.#parts.clock.nowMs()));
    return topic;
  }

  /** What can be said from here to those that resume. */
  #plansFor({ wanted }: Wish): Plans {
    const { clock, allocate } = this.#parts;
    const limits = resumeLimits(this.#parts);
    return new Map(
      [...wanted].map(([topic, item]) => {
        const from = positionOf(item);
        return [topic, from && planResume(topic, from, limits, clock.nowMs(), allocate)];
      }),
    );
  }

  async #ask(topic: Topic, from: ResumePoint | undefined): Promise<Told> {
    const history = from && (await this.#fetch(topic, from));
    const before = history?.complete === true ? undefined : beforeNewest(topic);
    return { ...(history && { history }), ...(before && { newest: await this.#fetch(topic, before) }) };
  }

  #fetch(topic: Topic, from: ResumePoint): Promise<FetchedHistory> {
    const key = [topic.name, ...[...seenBy(from)].flat()].join(' ');
    const known = this.#fetches.get(key);
    if (known) return known;
    const asked = this.#parts.link.fetchSince(topic.name, from, resumeLimits(this.#parts));
    this.#fetches.set(key, asked);
    void asked.then(() => this.#fetches.delete(key));
    return asked;
  }

  /**
   * Answers, replays and joins the group before it returns, so that no message can slip in between. The promise settles
   * when the client has read the replay; its next `sub` waits for that, so that no client is owed two replays.
   */
  #finish(wish: Wish, plans: Plans, told: ReadonlyMap<Topic, Told>): Promise<void> | undefined {
    const { connection, id, wanted, refused } = wish;
    const { hub, clock } = this.#parts;
    let taken: Promise<void> | undefined;
    if (connection.state === 'open') {
      hub.catchUp(connection);
      const replay = new Replay(this.#parts, connection.has('gap'));
      const items = [...wanted].map(([topic, item]) =>
        replay.begin(topic, positionOf(item), plans.get(topic), told.get(topic) ?? {}),
      );
      connection.send({ op: 'ok', id, c: [...items, ...refused] });
      const { frames } = replay;
      if (frames.length > 0) {
        taken = connection.sendReplay(frames, replay.fetchedBytes);
        hub.ledger.replayed += frames.length;
      }
      hub.subscribe(connection, [...wanted.keys()]);
    }
    for (const topic of wanted.keys()) hub.release(topic, clock.nowMs());
    return taken;
  }
}

function positionOf({ from }: SubscribeItem): ResumePoint | undefined {
  if (!from) return undefined;
  const also = from.also?.map(({ e, o }) => ({ epoch: e, offset: o }));
  return { epoch: from.e, offset: from.o, ...(also && { also }) };
}
