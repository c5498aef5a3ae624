// Lives of brokers that nobody else has followed to the end. One that may have gone on unheard, frozen or cut off from
// everybody, comes back in the same life, and its sequences show what was missed. If it does not, more may be lost than
// anybody knows of. Of the others somebody may still say that they went on.

import type { FollowedEpoch } from './recover-epoch.ts';

/** How long a broker may take to come back: as long as the other brokers keep copies. */
export const RETURN_MS = 30_000;

/** `epoch`: the life in which the broker is heard now; empty while it is not. */
type Broker = Readonly<{ epoch: string }>;

export interface UnheardEnd<From> {
  from: From;
  followed: FollowedEpoch;
}

export class UnheardEnds<From extends Broker> {
  #waiting: (UnheardEnd<From> & { untilMs: number })[] = [];

  add(from: From, followed: FollowedEpoch, nowMs: number): void {
    this.#waiting.push({ from, followed, untilMs: nowMs + RETURN_MS });
  }

  get waiting(): readonly UnheardEnd<From>[] {
    return this.#waiting;
  }

  /** The broker was heard in that life again. */
  forget(epoch: string): void {
    this.#waiting = this.#waiting.filter(({ followed }) => followed.epoch !== epoch);
  }

  /** Takes those that are certain: another life of the broker has begun, or it has been away for too long. */
  takeCertain(nowMs: number): UnheardEnd<From>[] {
    const away = this.#waiting.filter(({ from, followed }) => from.epoch !== followed.epoch);
    const isLate = ({ untilMs }: (typeof away)[number]): boolean => nowMs >= untilMs;
    const isCertain = (one: (typeof away)[number]): boolean =>
      one.followed.wasCut === true && (one.from.epoch !== '' || isLate(one));
    this.#waiting = away.filter((one) => !isCertain(one) && !isLate(one));
    return away.filter(isCertain);
  }
}
