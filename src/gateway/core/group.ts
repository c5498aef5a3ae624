// (8) The sockets that share one subscription set. Frames for them are collected in one log. A flush goes round
// the members and gives each all that is there when its turn comes, joined into one buffer that is shared by all who
// are owed the same. Members may come and go at any moment, also halfway through a round: each one's position in
// the log says what it is still owed.

import type { FlushClass } from './outbox.ts';
import type { Topic } from './topic.ts';
import type { Allocate } from './ws-frame.ts';

/** One client as the fan-out sees it. Its fields belong to the group it is in. */
export interface Subscriber {
  /** Takes whole frames for the wire. Must neither throw nor leave its group before it returns. */
  deliver(bytes: Uint8Array, frames: number): void;
  /** Bits of VARIANT: clients in one group get the same bytes. */
  readonly variant: number;
  group: Group | undefined;
  indexInGroup: number;
  /** Number of the first frame of the group's log that this subscriber has not been given. */
  position: number;
}

/** A place in a group's log: what was appended before it. */
export interface GroupMark {
  group: Group;
  end: number;
}

/** Everything before the mark was written to every member, or there is nobody left to write to. */
export function isPast({ group, end }: GroupMark): boolean {
  return group.written >= end || group.members.length === 0;
}

export const VARIANT = { deflate: 1, gap: 2 } as const;

/** The log between two places in it, as one buffer. */
interface Joined {
  start: number;
  end: number;
  bytes: Uint8Array;
}

const NOT_IN_ROUND = -1;

export class Group {
  readonly key: string;
  /** Sorted by id. Shared by all members: a subscriber's own set is its group's. */
  readonly topics: readonly Topic[];
  readonly variant: number;
  readonly members: Subscriber[] = [];
  /** The latency class that will flush this group next; the outbox sets it. */
  flushClass: FlushClass | undefined = undefined;
  /** When it came to that class, and when the oldest frame came that waits since; the outbox sets both. */
  markedMs = 0;
  waitsSinceMs = 0;
  /** Frames that some member may not have been given yet, and the log number of the first. */
  #log: Uint8Array[] = [];
  #start = 0;
  /** End of the log when the round under way began: so far everybody will have been written after it. */
  #roundEnd = NOT_IN_ROUND;
  /** Index of the next member, counting down: a member that joins or is swapped in is never skipped. */
  #cursor = 0;
  #joined: Joined | undefined;

  constructor(key: string, topics: readonly Topic[], variant: number) {
    this.key = key;
    this.topics = topics;
    this.variant = variant;
  }

  get hasPending(): boolean {
    return this.#log.length > 0;
  }

  append(frame: Uint8Array): void {
    this.#log.push(frame);
  }

  /** The newcomer gets what is appended from now on. */
  add(subscriber: Subscriber): void {
    subscriber.group = this;
    subscriber.indexInGroup = this.members.length;
    subscriber.position = this.end;
    this.members.push(subscriber);
  }

  /** Takes the subscriber out without giving it what it is owed; returns how many frames that was. */
  remove(subscriber: Subscriber): number {
    const last = this.members.pop()!;
    if (last !== subscriber) {
      this.members[subscriber.indexInGroup] = last;
      last.indexInGroup = subscriber.indexInGroup;
    }
    subscriber.group = undefined;
    return this.end - subscriber.position;
  }

  /** Gives one subscriber all it is owed, ahead of the flush; returns the number of frames. */
  catchUp(subscriber: Subscriber, allocate: Allocate): number {
    const owed = this.end - subscriber.position;
    if (owed === 0) return 0;
    const bytes = joined(this.#log.slice(subscriber.position - this.#start), allocate);
    subscriber.position = this.end;
    subscriber.deliver(bytes, owed);
    return owed;
  }

  /** Starts a round over all members. */
  begin(): void {
    this.#roundEnd = this.end;
    this.#cursor = this.members.length - 1;
  }

  /** Log number of the first frame that some member may not have been given by a flush. */
  get written(): number {
    return this.#start;
  }

  /** Log number of the next frame. */
  get end(): number {
    return this.#start + this.#log.length;
  }

  get flushing(): boolean {
    return this.#roundEnd !== NOT_IN_ROUND;
  }

  /**
   * Goes on with the round for at most `count` members; returns the number of frames given out. What is appended
   * during a round is for a part of the members only, and makes another one due.
   */
  writeSome(count: number, allocate: Allocate): number {
    if (!this.flushing) return 0;
    const { members, end } = this;
    let given = 0;
    let left = count;
    for (let i = Math.min(this.#cursor, members.length - 1); i >= 0; i--) {
      if (left-- === 0) {
        this.#cursor = i;
        return given;
      }
      const member = members[i];
      if (member === undefined || member.position >= end) continue;
      const frames = end - member.position;
      const bytes = this.#since(member.position, allocate);
      member.position = end;
      given += frames;
      member.deliver(bytes, frames);
    }
    this.#log.splice(0, this.#roundEnd - this.#start);
    this.#start = this.#roundEnd;
    this.#roundEnd = NOT_IN_ROUND;
    this.#joined = undefined;
    return given;
  }

  #since(position: number, allocate: Allocate): Uint8Array {
    const { end } = this;
    if (this.#joined?.start !== position || this.#joined.end !== end) {
      const bytes = joined(this.#log.slice(position - this.#start), allocate);
      this.#joined = { start: position, end, bytes };
    }
    return this.#joined.bytes;
  }
}

/** One buffer of several frames; a single frame is passed on as it is. */
export function joined(frames: readonly Uint8Array[], allocate: Allocate): Uint8Array {
  if (frames.length === 1) return frames[0]!;
  let length = 0;
  for (const frame of frames) length += frame.length;
  const bytes = allocate(length);
  let at = 0;
  for (const frame of frames) {
    bytes.set(frame, at);
    at += frame.length;
  }
  return bytes;
}
