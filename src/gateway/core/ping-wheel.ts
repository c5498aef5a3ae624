// (8) Who is pinged when: a wheel that turns once a period, each client in one slot drawn at random. One timer
// serves all, a storm of arrivals does not come back as a storm of pings, and a round finds the silent ones.

export interface WheelMember {
  slot: number;
  indexInSlot: number;
}

export class PingWheel<T extends WheelMember> {
  readonly #slots: T[][];
  readonly #random: () => number;
  #next = 0;

  constructor(slotCount: number, random: () => number) {
    this.#slots = Array.from({ length: slotCount }, () => []);
    this.#random = random;
  }

  add(member: T): void {
    const slot = Math.floor(this.#random() * this.#slots.length);
    const members = this.#slots[slot]!;
    member.slot = slot;
    member.indexInSlot = members.length;
    members.push(member);
  }

  /** Takes a member out; one that is not in is left alone. */
  remove(member: T): void {
    if (member.slot < 0) return;
    const members = this.#slots[member.slot]!;
    const last = members.pop()!;
    if (last !== member) {
      members[member.indexInSlot] = last;
      last.indexInSlot = member.indexInSlot;
    }
    member.slot = -1;
  }

  /** Turns by one slot and returns who is in it, as a copy. */
  turn(): T[] {
    const members = this.#slots[this.#next]!;
    this.#next = (this.#next + 1) % this.#slots.length;
    return members.slice();
  }
}
