// (8) Where messages stood that passed this gateway, and when. One that is sent again, because its broker died, may be the
// only copy for a client that came here meanwhile, although this gateway has seen it: before anybody here wanted its topic,
// or for others that have left since.

import type { TopicPosition } from './feed-port.ts';

/**
 * Each has a slot; newer messages take those of older ones. Five seconds of 50,000 messages a second: publishers keep what a
 * broker acked in its last two, and it may take them 2.5 s to see that it died.
 */
const SLOTS = 262_144;
/** Puts the messages of different senders into different slots: they come side by side. */
const SENDER_STRIDE = 40_503;

interface Slots {
  senders: Uint32Array;
  sequences: Float64Array;
  offsets: Float64Array;
  arrivals: Float64Array;
  epochs: string[];
}

export class PassedBy {
  #senders = 0;
  #slots: Slots | undefined;

  /** A number for one more sender, from 1. */
  nextSender(): number {
    return ++this.#senders;
  }

  /** `arrival` grows with each call that brings messages: their place among what happens to topics. */
  note(sender: number, sequence: number, epoch: string, offset: number, arrival: number): void {
    const slots = (this.#slots ??= {
      senders: new Uint32Array(SLOTS),
      sequences: new Float64Array(SLOTS),
      offsets: new Float64Array(SLOTS),
      arrivals: new Float64Array(SLOTS),
      epochs: new Array<string>(SLOTS).fill(''),
    });
    const at = slotOf(sender, sequence);
    slots.senders[at] = sender;
    slots.sequences[at] = sequence;
    slots.offsets[at] = offset;
    slots.arrivals[at] = arrival;
    slots.epochs[at] = epoch;
  }

  has(sender: number, sequence: number): boolean {
    const at = slotOf(sender, sequence);
    return this.#slots?.senders[at] === sender && this.#slots.sequences[at] === sequence;
  }

  /**
   * Where a message stood that passed up to `since`; from then on it counts as having passed at `arrival`. Undefined when it
   * passed later, or so long ago that it was forgotten.
   */
  take(sender: number, sequence: number, since: number, arrival: number): TopicPosition | undefined {
    const slots = this.#slots;
    const at = slotOf(sender, sequence);
    if (!slots || !this.has(sender, sequence) || slots.arrivals[at]! > since) return undefined;
    slots.arrivals[at] = arrival;
    return { epoch: slots.epochs[at]!, offset: slots.offsets[at]! };
  }
}

function slotOf(sender: number, sequence: number): number {
  return (sequence + sender * SENDER_STRIDE) % SLOTS;
}
