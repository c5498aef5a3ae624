// (8) The sockets that share one subscription set. Frames for them are collected in one log; a flush joins
// what is new into one buffer and writes that same buffer to each of them. Members may come and go at any
// moment, also halfway through a flush: each one's position in the log says what it is still owed.

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

/** Part of the log that a flush is writing. */
interface Sealed {
  frames: readonly Uint8Array[];
  bytes: Uint8Array;
  /** Log number of the first frame, and of the one after the last. */
  start: number;
  end: number;
  /** Index of the next member, counting down: a member that joins or is swapped in is never skipped. */
  cursor: number;
}

export class Group {
  readonly key: string;
  /** Sorted by id. Shared by all members: a subscriber's own set is its group's. */
  readonly topics: readonly Topic[];
  readonly variant: number;
  readonly members: Subscriber[] = [];
  /** The latency class that will flush this group next; the outbox sets it. */
  flushClass: unknown = undefined;
  #pending: Uint8Array[] = [];
  #pendingStart = 0;
  #sealed: Sealed | undefined;

  constructor(key: string, topics: readonly Topic[], variant: number) {
    this.key = key;
    this.topics = topics;
    this.variant = variant;
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  append(frame: Uint8Array): void {
    this.#pending.push(frame);
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
    const { position } = subscriber;
    const fromSealed = this.#sealed?.frames.slice(Math.max(0, position - this.#sealed.start)) ?? [];
    const fromPending = this.#pending.slice(Math.max(0, position - this.#pendingStart));
    subscriber.position = this.end;
    subscriber.deliver(joined([...fromSealed, ...fromPending], allocate), owed);
    return owed;
  }

  /** Starts a flush of all that is pending. */
  seal(allocate: Allocate): void {
    const frames = this.#pending;
    const start = this.#pendingStart;
    const end = start + frames.length;
    this.#sealed = { frames, bytes: joined(frames, allocate), start, end, cursor: this.members.length - 1 };
    this.#pending = [];
    this.#pendingStart = end;
  }

  /** Log number of the first frame that some member may not have been given by a flush. */
  get written(): number {
    return this.#sealed?.start ?? this.#pendingStart;
  }

  /** Log number of the next frame. */
  get end(): number {
    return this.#pendingStart + this.#pending.length;
  }

  get flushing(): boolean {
    return this.#sealed !== undefined;
  }

  /** Goes on with the flush for at most `count` members; returns the number of frames given out. */
  writeSome(count: number): number {
    const sealed = this.#sealed;
    if (!sealed) return 0;
    const { members } = this;
    let written = 0;
    let left = count;
    for (let i = Math.min(sealed.cursor, members.length - 1); i >= 0; i--) {
      if (left-- === 0) {
        sealed.cursor = i;
        return written;
      }
      const member = members[i];
      if (member === undefined || member.position >= sealed.end) continue;
      const { position } = member;
      const bytes = position <= sealed.start ? sealed.bytes : tailOf(sealed, position);
      const frames = sealed.end - Math.max(position, sealed.start);
      member.position = sealed.end;
      written += frames;
      member.deliver(bytes, frames);
    }
    this.#sealed = undefined;
    return written;
  }
}

/** What a member that joined in the middle of the sealed part is owed. */
function tailOf(sealed: Sealed, position: number): Uint8Array {
  let skipped = 0;
  for (let i = 0; i < position - sealed.start; i++) skipped += sealed.frames[i]!.length;
  return sealed.bytes.subarray(skipped);
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
