// (5) Which members of a pool have a label or are in a zone, kept up to date as they come, change and go: a lookup
// that requires or wishes for something looks at nobody else.

import { evenly } from './evenly.ts';
import type { GatewayRecord } from './gateway-slots.ts';

/** Some members of a pool, by their slots. */
export interface Slots extends Iterable<number> {
  readonly size: number;
  has(slot: number): boolean;
}

/** Of which any part can be looked at, wherever it begins. */
class SlotList implements Slots {
  readonly #slots: number[] = [];
  readonly #placeOf = new Map<number, number>();

  get size(): number {
    return this.#slots.length;
  }

  has(slot: number): boolean {
    return this.#placeOf.has(slot);
  }

  [Symbol.iterator](): IterableIterator<number> {
    return this.#slots[Symbol.iterator]();
  }

  at(place: number): number {
    return this.#slots[place]!;
  }

  add(slot: number): void {
    this.#placeOf.set(slot, this.#slots.push(slot) - 1);
  }

  delete(slot: number): void {
    const place = this.#placeOf.get(slot)!;
    const last = this.#slots.pop()!;
    if (last !== slot) {
      this.#slots[place] = last;
      this.#placeOf.set(last, place);
    }
    this.#placeOf.delete(slot);
  }
}

/** Stands for the zone, which no label can be mistaken for: their keys have a character. */
const ZONE = '';
const NOBODY = new SlotList();

export class LabelIndex {
  readonly #having = new Map<string, Map<string, SlotList>>();
  #sampled = 0;

  add({ slot, zone, labels }: GatewayRecord): void {
    this.#add(ZONE, zone, slot);
    for (const key in labels) this.#add(key, labels[key]!, slot);
  }

  /** To be called before its zone or labels change. */
  delete({ slot, zone, labels }: GatewayRecord): void {
    this.#delete(ZONE, zone, slot);
    for (const key in labels) this.#delete(key, labels[key]!, slot);
  }

  /** Those with that label; `key` undefined = in that zone. */
  of(key: string | undefined, value: string): Slots {
    return this.#of(key ?? ZONE, value);
  }

  /** Those with the rarest of `labels`: no others can have them all. Undefined when there are no labels. */
  rarest(labels: Record<string, string>): Slots | undefined {
    return this.#rarest(labels);
  }

  /** `count` of them, of all parts of the list, and others each time. */
  *sample(labels: Record<string, string>, count: number): IterableIterator<number> {
    const having = this.#rarest(labels) ?? NOBODY;
    for (let i = 0; i < count; i++) yield having.at(Math.floor(evenly(this.#sampled++) * having.size));
  }

  #of(key: string, value: string): SlotList {
    return this.#having.get(key)?.get(value) ?? NOBODY;
  }

  #rarest(labels: Record<string, string>): SlotList | undefined {
    let rarest: SlotList | undefined;
    for (const key in labels) {
      const having = this.#of(key, labels[key]!);
      if (rarest === undefined || having.size < rarest.size) rarest = having;
    }
    return rarest;
  }

  #add(key: string, value: string, slot: number): void {
    const ofKey = this.#having.get(key) ?? new Map<string, SlotList>();
    const having = ofKey.get(value) ?? new SlotList();
    having.add(slot);
    ofKey.set(value, having);
    this.#having.set(key, ofKey);
  }

  #delete(key: string, value: string, slot: number): void {
    const ofKey = this.#having.get(key)!;
    const having = ofKey.get(value)!;
    having.delete(slot);
    if (having.size === 0) ofKey.delete(value);
    if (ofKey.size === 0) this.#having.delete(key);
  }
}

export function sameLabels(a: Record<string, string>, b: Record<string, string>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
