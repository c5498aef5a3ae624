// Histories that share a budget, beside a list that is searched for what came longest ago.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { History } from '../../../src/gateway/core/history.ts';
import { HistoryBudget } from '../../../src/gateway/core/history-budget.ts';

const MAX_BYTES = 60;
const MAX_MESSAGES = 4;
/** Which of the histories keep their newest message. */
const KEEPS = [false, false, true, true];

type Step = { of: number; bytes: number } | { of: number; clears: true };

interface Held {
  of: number;
  bytes: number;
  /** Place in line; undefined for a newest message that is kept. */
  place: number | undefined;
}

class Model {
  held: Held[] = [];
  #places = 0;

  push(of: number, bytes: number): void {
    const newest = this.of(of).at(-1);
    const message: Held = { of, bytes, place: undefined };
    this.held.push(message);
    const movable = KEEPS[of] ? newest : message;
    if (movable) movable.place = this.#places++;
    while (this.usedBytes > MAX_BYTES) {
      const inLine = this.held.filter(({ place }) => place !== undefined);
      this.#drop(inLine.sort((a, b) => a.place! - b.place!)[0] ?? message);
    }
    if (this.of(of).length > MAX_MESSAGES) this.#drop(this.of(of)[0]!);
  }

  clear(of: number): void {
    this.held = this.held.filter((one) => one.of !== of);
  }

  of(of: number): Held[] {
    return this.held.filter((one) => one.of === of);
  }

  get usedBytes(): number {
    return this.held.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #drop(message: Held): void {
    this.held = this.held.filter((one) => one !== message);
  }
}

const anyOf = fc.nat(KEEPS.length - 1);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ of: anyOf, bytes: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 1, arbitrary: fc.record({ of: anyOf, clears: fc.constant(true as const) }) },
);

it('whatever comes and goes, what came longest ago has made room', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 60, size: 'max' }), (steps) => {
      const budget = new HistoryBudget(MAX_BYTES);
      const limits = { maxMessages: MAX_MESSAGES, maxBytes: 1_000, maxAgeMs: 1_000 };
      const histories = KEEPS.map((keepsNewest) => new History({ ...limits, keepsNewest }, budget));
      const model = new Model();
      for (const [at, step] of steps.entries()) {
        if ('clears' in step) {
          histories[step.of]!.clear();
          model.clear(step.of);
        } else {
          histories[step.of]!.push('e', at + 1, new Uint8Array(step.bytes), 0);
          model.push(step.of, step.bytes);
        }
        expect(histories.map(({ messages }) => messages)).toEqual(KEEPS.map((_, of) => model.of(of).length));
        expect(budget.usedBytes).toBe(model.usedBytes);
      }
    }),
    { numRuns: 500 },
  );
});
