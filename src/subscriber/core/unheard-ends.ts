// Lives of brokers that went away unheard and that nobody else has followed to the end. One that was frozen, or cut off
// from everybody, comes back in the same life, and its sequences show what was missed. If it does not, more may be lost
// than anybody knows of.

import type { FollowedEpoch } from './recover-epoch.ts';

/** How long a broker may take to come back: as long as the other brokers keep copies. */
export const RETURN_MS = 30_000;

/** `epoch`: the life in which the broker is heard now; empty while it is not. */
type Broker = Readonly<{ epoch: string }>;

interface UnheardEnd<From> {
  from: From;
  followed: FollowedEpoch;
}

export class UnheardEnds<From extends Broker> {
  #waiting: (UnheardEnd<From> & { untilMs: number })[] = [];

  add(from: From, followed: FollowedEpoch, nowMs: number): void {
    this.#waiting.push({ from, followed, untilMs: nowMs + RETURN_MS });
  }

  /** The broker was heard in that life again. */
  forget(epoch: string): void {
    this.#waiting = this.#waiting.filter(({ followed }) => followed.epoch !== epoch);
  }

  /** Takes those that are certain: another life of the broker has begun, or it has been away for too long. */
  takeCertain(nowMs: number): UnheardEnd<From>[] {
    const away = this.#waiting.filter(({ from, followed }) => from.epoch !== followed.epoch);
    const isCertain = ({ from, untilMs }: (typeof away)[number]): boolean =>
      from.epoch !== '' || nowMs >= untilMs;
    this.#waiting = away.filter((one) => !isCertain(one));
    return away.filter(isCertain);
  }
}
