// (8) -> (6) What one connection delivers, made into events: each message once, each loss told once. Knows
// the epoch this connection is at in each topic, and holds a topic back while the previous connection still
// delivers what this one could not resume.

import type { ClientOut, SubscribedItem } from '../../protocol/client-frames.ts';
import type { ClientEvent } from './client-events.ts';
import type { TopicBook } from './topic-book.ts';

type MessageFrame = Extract<ClientOut, { op: 'msg' }>;
type GapFrame = Extract<ClientOut, { op: 'gap' }>;

/** Frames kept for one held topic; when it is full the topic goes on at once and the hole is told. */
const MAX_HELD = 1_000;

interface Held {
  epoch: string;
  /** The old connection has delivered everything once it is here. */
  until: number;
  frames: (MessageFrame | GapFrame)[];
}

export interface Stream {
  subscribed(item: SubscribedItem, predecessorDelivers: boolean): void;
  /** Another wish is under way: what comes of it before the answer to that is of the wish before. */
  leave(topic: string): void;
  message(frame: MessageFrame): void;
  gap(frame: GapFrame): void;
  /** The previous connection went on in this topic: it is let go once it is up to date. */
  progressed(topic: string): void;
  /** Lets go of all topics that are held back. */
  release(): void;
  holding(): boolean;
}

export function createStream(book: TopicBook, emit: (event: ClientEvent) => void): Stream {
  /** Of the topics in force. */
  const epochs = new Map<string, string>();
  const held = new Map<string, Held>();
  /** Not resumed: the gateway's own word on that hole, which follows its `ok`, is not news. */
  const echoes = new Set<string>();

  const deliver = (frame: MessageFrame): void => {
    const known = epochs.get(frame.c);
    if (known === undefined) return;
    const epoch = frame.e ?? known;
    epochs.set(frame.c, epoch);
    echoes.delete(frame.c);
    if (!book.take(frame.c, epoch, frame.o)) return;
    emit({ name: 'message', detail: { topic: frame.c, epoch, offset: frame.o, data: frame.d } });
  };

  const tell = (frame: GapFrame): void => {
    const known = epochs.get(frame.c);
    if (known === undefined || !book.has(frame.c)) return;
    const epoch = frame.e === '' ? known : frame.e;
    epochs.set(frame.c, epoch);
    const last = frame.from + frame.n - 1;
    const counted = frame.n > 0 && frame.from > 0;
    if (echoes.delete(frame.c) && !counted) return;
    if (counted && last <= (book.offsetIn(frame.c, epoch) ?? 0)) return;
    if (counted) book.settle(frame.c, { e: epoch, o: last });
    emit({
      name: 'gap',
      detail: { topic: frame.c, epoch, from: frame.from, count: frame.n, why: frame.why },
    });
  };

  /** The position jumps to where this connection starts; tells what is lost between. */
  const jump = (topic: string, epoch: string, to: number): void => {
    const seen = book.offsetIn(topic, epoch);
    // Coming from another epoch there is more between than this one can count.
    const known = seen !== undefined && book.position(topic)?.e === epoch;
    const detail = {
      topic,
      epoch,
      from: known ? seen + 1 : 0,
      count: known ? to - seen : 0,
      why: 'not-resumed',
    };
    book.settle(topic, { e: epoch, o: to });
    emit({ name: 'gap', detail });
  };

  const arrived = (topic: string, { epoch, until }: Held): boolean =>
    (book.offsetIn(topic, epoch) ?? 0) >= until;

  const goOn = (topic: string, hold: Held): void => {
    held.delete(topic);
    if (!book.has(topic)) return;
    if (!arrived(topic, hold)) jump(topic, hold.epoch, hold.until);
    for (const frame of hold.frames) {
      if (frame.op === 'msg') deliver(frame);
      else tell(frame);
    }
  };

  const takeOrHold = (frame: MessageFrame | GapFrame): void => {
    const hold = held.get(frame.c);
    if (hold) {
      hold.frames.push(frame);
      if (hold.frames.length >= MAX_HELD) goOn(frame.c, hold);
    } else if (frame.op === 'msg') deliver(frame);
    else tell(frame);
  };

  return {
    subscribed({ c: topic, e: epoch, o: offset, rec }, predecessorDelivers) {
      if (!book.has(topic)) return;
      epochs.set(topic, epoch);
      const done = (recovered: boolean): void => emit({ name: 'subscribed', detail: { topic, recovered } });
      if (rec === true) {
        done(true);
        return;
      }
      if (!book.position(topic)) {
        book.settle(topic, { e: epoch, o: offset });
        done(true);
        return;
      }
      echoes.add(topic);
      const hold: Held = { epoch, until: offset, frames: [] };
      if (arrived(topic, hold)) {
        // Up to date in the topic's epoch, and all the same not resumed: something may be missing of another one.
        const isHoled = !predecessorDelivers && (rec === false || book.position(topic)?.e !== epoch);
        if (isHoled) emit({ name: 'gap', detail: { topic, epoch, from: 0, count: 0, why: 'not-resumed' } });
        done(!isHoled);
        return;
      }
      if (predecessorDelivers) {
        held.set(topic, hold);
        done(true);
        return;
      }
      jump(topic, epoch, offset);
      done(false);
    },
    leave(topic) {
      epochs.delete(topic);
      echoes.delete(topic);
      held.delete(topic);
    },
    message: takeOrHold,
    gap: takeOrHold,
    progressed(topic) {
      const hold = held.get(topic);
      if (hold && arrived(topic, hold)) goOn(topic, hold);
    },
    release() {
      for (const [topic, hold] of held) goOn(topic, hold);
    },
    holding: () => held.size > 0,
  };
}
