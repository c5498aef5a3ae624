// (8) What the gateway knows of one topic: where it stands, who shares it, and its last messages.

import type { TopicPosition } from './feed-port.ts';
import type { Group } from './group.ts';
import type { History } from './history.ts';
import { messagePrefix } from './message-frame.ts';
import type { FlushClass } from './outbox.ts';

export interface Topic {
  /** Small and unique within this gateway: names the topic in group keys. */
  readonly id: number;
  readonly name: string;
  readonly prefix: Uint8Array;
  readonly flushClass: FlushClass;
  /** Whether a new subscriber gets the newest message at once. */
  readonly sendsLast: boolean;
  readonly history: History;
  readonly groups: Set<Group>;
  /** Newest message that passed here, or the head the brokers named. */
  position: TopicPosition;
  /** Where it stood when this gateway began to listen: what came before did not pass here. */
  openedAt: TopicPosition;
  openedMs: number;
  /** Some subscriber was told another epoch than `position.epoch`: the next message names it again. */
  announceEpoch: boolean;
  /** Clients subscribed, and operations that are about to be. The topic lives while above 0. */
  users: number;
  /** Since when there are no users, ms; undefined while there are some. */
  idleSinceMs: number | undefined;
  /** Settles when the interest is in force; undefined from then on. */
  opening: Promise<void> | undefined;
}

export interface TopicTraits {
  flushClass: FlushClass;
  sendsLast: boolean;
}

export function createTopic(id: number, name: string, traits: TopicTraits, history: History): Topic {
  return {
    id,
    name,
    prefix: messagePrefix(name),
    flushClass: traits.flushClass,
    sendsLast: traits.sendsLast,
    history,
    groups: new Set(),
    position: { epoch: '', offset: 0 },
    openedAt: { epoch: '', offset: 0 },
    openedMs: Infinity,
    announceEpoch: false,
    users: 0,
    idleSinceMs: 0,
    opening: undefined,
  };
}
