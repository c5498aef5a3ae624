// (7) -> (8) Who waits to hear where a topic stands, and the questions that find out: each topic is asked of its owner,
// many topics in one frame.

import type { StandIn } from '../../subscriber/core/recover-epoch.ts';
import { chunks, headsRequest, NOWHERE } from '../core/feed-history.ts';
import type { TopicPosition } from '../core/feed-port.ts';

interface Waiting {
  untilMs: number;
  settle: ((head: TopicPosition) => void)[];
}

export class WantedHeads {
  readonly #ownerOf: (topic: string) => StandIn | undefined;
  readonly #found: (topic: string, head: TopicPosition) => void;
  /** By topic; those that are being asked about are no longer in it. */
  readonly #waiting = new Map<string, Waiting>();

  /** `ownerOf`: undefined while nobody can be asked. `found` hears of a head before those that wait for it. */
  constructor(
    ownerOf: (topic: string) => StandIn | undefined,
    found: (topic: string, head: TopicPosition) => void,
  ) {
    this.#ownerOf = ownerOf;
    this.#found = found;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** NOWHERE when the owner does not say, or cannot be asked by `untilMs`. Never rejects. */
  of(topic: string, untilMs: number): Promise<TopicPosition> {
    return new Promise((settle) => {
      const waiting = this.#waiting.get(topic);
      if (waiting) waiting.settle.push(settle);
      else this.#waiting.set(topic, { untilMs, settle: [settle] });
    });
  }

  /** Asks the owners that are there; the other topics wait on. */
  ask(): void {
    const byOwner = new Map<StandIn, string[]>();
    for (const topic of this.#waiting.keys()) {
      const owner = this.#ownerOf(topic);
      if (!owner) continue;
      const names = byOwner.get(owner);
      if (names) names.push(topic);
      else byOwner.set(owner, [topic]);
    }
    for (const [owner, names] of byOwner)
      for (const chunk of chunks(names)) void this.#askOwner(owner, chunk);
  }

  expire(nowMs: number): void {
    for (const [topic, { untilMs, settle }] of this.#waiting) {
      if (untilMs > nowMs) continue;
      this.#waiting.delete(topic);
      for (const one of settle) one(NOWHERE);
    }
  }

  async #askOwner(owner: StandIn, names: readonly string[]): Promise<void> {
    const asked = names.map((topic) => [topic, this.#waiting.get(topic)] as const);
    for (const topic of names) this.#waiting.delete(topic);
    const reply = await owner.question(headsRequest(names, ''));
    const answer = reply?.kind === 'topics' ? reply : undefined;
    const heads = new Map(answer?.answers.map(({ topic, headOffset }) => [topic, headOffset]));
    for (const [topic, waiting] of asked) {
      const offset = heads.get(topic);
      const head = answer && offset !== undefined ? { epoch: answer.epoch, offset } : NOWHERE;
      if (head.epoch !== '') this.#found(topic, head);
      for (const settle of waiting?.settle ?? []) settle(head);
    }
  }
}
