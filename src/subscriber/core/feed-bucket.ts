// (8) One bucket of one broker, put back in order: sections that follow each other pass, a hole holds what comes
// after it until the missing range was repaired or is known to be gone.

import type { Section, SequencedMessage } from '../../protocol/publication-envelope.ts';

/** Messages held behind a hole; later ones are dropped and repaired in their turn. */
const MAX_AHEAD_MESSAGES = 8_192;
/**
 * Of what all buckets of a broker hold so. One whose repair port cannot be reached would otherwise fill the memory with
 * what it publishes.
 */
const MAX_AHEAD_BYTES = 64 * 1024 * 1024;
/** What a message is taken to cost beside its JSON. */
const MESSAGE_BYTES = 200;

export interface Range {
  from: number;
  to: number;
}

export class BucketFeed {
  /** Next sequence to deliver; 0 until joined. */
  #next = 0;
  #knownHead = 0;
  /** Sections behind the hole, by first sequence. */
  #ahead: Section[] = [];
  #aheadMessages = 0;
  #aheadBytes = 0;
  readonly #deliver: (messages: SequencedMessage[], firstSequence: number) => void;
  readonly #hasRoom: () => boolean;

  /** `hasRoom`: whether all buckets together may hold more behind their holes. */
  constructor(
    deliver: (messages: SequencedMessage[], firstSequence: number) => void,
    hasRoom: () => boolean = () => true,
  ) {
    this.#deliver = deliver;
    this.#hasRoom = hasRoom;
  }

  /** Of what is held behind a hole. */
  get aheadBytes(): number {
    return this.#aheadBytes;
  }

  get joined(): boolean {
    return this.#next > 0;
  }

  /** Whether its broker has carried any message of this bucket, as far as is known. */
  get carriesAny(): boolean {
    return this.#knownHead > 0;
  }

  /** From here on nothing may be missed: delivers from `sequence`, or earlier where it has come already. */
  join(sequence: number): void {
    this.#next = Math.min(sequence, this.#ahead[0]?.firstSequence ?? sequence);
    this.#passAhead();
  }

  receive(section: Section): void {
    // An empty answer only repeats where the question began, which may lie far beyond the head of a new epoch.
    if (section.messages.length === 0) return;
    const end = section.firstSequence + section.messages.length;
    if (end > this.#knownHead + 1) this.#knownHead = end - 1;
    if (this.joined && section.firstSequence <= this.#next) this.#pass(section);
    else this.#keep(section);
    this.#passAhead();
  }

  /** The broker's head: what lies between it and the last received message is missing. */
  noteHead(sequence: number): void {
    if (sequence > this.#knownHead) this.#knownHead = sequence;
  }

  /** The first range that is known to exist and has not come; undefined when there is none. */
  missing(): Range | undefined {
    if (!this.joined || this.#knownHead < this.#next) return undefined;
    const [first] = this.#ahead;
    return { from: this.#next, to: first ? first.firstSequence - 1 : this.#knownHead };
  }

  /** Gives up on what has not come before `sequence`: tells how many, then goes on with what has come. */
  skipTo(sequence: number, tellLost: (count: number) => void): void {
    const end = Math.min(sequence, this.#ahead[0]?.firstSequence ?? sequence);
    const lost = Math.max(0, end - this.#next);
    if (lost > 0) {
      this.#next = end;
      tellLost(lost);
    }
    this.#passAhead();
  }

  #pass(section: Section): void {
    const end = section.firstSequence + section.messages.length;
    if (end <= this.#next) return;
    const known = this.#next - section.firstSequence;
    this.#next = end;
    this.#deliver(
      known === 0 ? section.messages : section.messages.slice(known),
      section.firstSequence + known,
    );
  }

  #keep(section: Section): void {
    if (this.#aheadMessages + section.messages.length > MAX_AHEAD_MESSAGES) return;
    let at = this.#ahead.length;
    while (at > 0 && this.#ahead[at - 1]!.firstSequence > section.firstSequence) at -= 1;
    const before = this.#ahead[at - 1];
    if (before && before.firstSequence + before.messages.length > section.firstSequence) return;
    const after = this.#ahead[at];
    if (after && section.firstSequence + section.messages.length > after.firstSequence) return;
    if (!this.#hasRoom()) return;
    // A view would keep the whole envelope, with the messages of all other buckets.
    const messages = section.messages.map((message) => ({ ...message, data: new Uint8Array(message.data) }));
    this.#ahead.splice(at, 0, { ...section, messages });
    this.#aheadMessages += messages.length;
    this.#aheadBytes += bytesOf(messages);
  }

  #passAhead(): void {
    while (this.joined && this.#ahead.length > 0 && this.#ahead[0]!.firstSequence <= this.#next) {
      const section = this.#ahead.shift()!;
      this.#aheadMessages -= section.messages.length;
      this.#aheadBytes -= bytesOf(section.messages);
      this.#pass(section);
    }
  }
}

/** Whether these together may hold more behind their holes. */
export function haveRoom(feeds: Iterable<BucketFeed>): boolean {
  let bytes = 0;
  for (const { aheadBytes } of feeds) bytes += aheadBytes;
  return bytes < MAX_AHEAD_BYTES;
}

function bytesOf(messages: readonly SequencedMessage[]): number {
  return messages.reduce((sum, { data }) => sum + data.length + MESSAGE_BYTES, 0);
}
