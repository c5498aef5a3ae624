import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LoggedMessage } from '../../../src/broker/core/message-shelves.ts';
import { MessageShelves } from '../../../src/broker/core/message-shelves.ts';

const sources = ['p1', 'p2'].map((publisher) => ({ publisher, origin: 'main', hop: 0 }));
const whole = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const message = fc.record({
  topic: fc.constantFrom('a', 'b', 'c'),
  data: fc.oneof(
    { weight: 9, arbitrary: fc.uint8Array({ maxLength: 40 }) },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 0, max: 70_000 }).map((bytes) => new Uint8Array(bytes).fill(7)),
    },
  ),
  source: fc.constantFrom(...sources),
  sequence: whole,
  flags: fc.nat({ max: 255 }),
  publishedAtMs: whole,
  offset: whole,
  previousSequence: whole,
  arrivedMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
  ownOffset: whole,
});
const same = (found: LoggedMessage | undefined, kept: LoggedMessage): void => {
  if (!found) throw new Error(`${kept.bucketSequence} is not there`);
  expect({ ...found, data: 0 }).toEqual({ ...kept, data: 0 });
  expect(Buffer.compare(found.data, kept.data)).toBe(0);
};
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ push: fc.array(message, { minLength: 1, maxLength: 30 }) }) },
  { weight: 2, arbitrary: fc.record({ shift: fc.integer({ min: 1, max: 40 }) }) },
);

it('gives back exactly what was put on them, first in first out', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 40 }), fc.array(step, { maxLength: 12 }), (first, steps) => {
      const shelves = new MessageShelves(first);
      const model: LoggedMessage[] = [];
      let next = first;
      for (const one of steps) {
        if ('push' in one) {
          for (const pushed of one.push) {
            const logged = { ...pushed, bucketSequence: next };
            shelves.push(logged);
            model.push(logged);
            next += 1;
          }
        } else {
          for (let i = 0; i < one.shift; i++) expect(shelves.shift()).toBe(model.shift()?.data.length ?? 0);
        }
        expect([shelves.held, shelves.firstHeld]).toEqual([model.length, next - model.length]);
        expect(shelves.oldestArrivedMs()).toBe(model[0]?.arrivedMs ?? Infinity);
        for (const kept of [...model.slice(0, 2), ...model.slice(-2)])
          same(shelves.at(kept.bucketSequence), kept);
        for (const gone of [next - model.length - 1, next]) expect(shelves.at(gone)).toBeUndefined();
      }
      for (const kept of model) same(shelves.at(kept.bucketSequence), kept);
    }),
    { numRuns: 100 },
  );
});

it('does not change with the frame a message came in', () => {
  const shelves = new MessageShelves(1);
  const frame = new Uint8Array([1, 2, 3]);
  shelves.push({
    topic: 'a',
    data: frame.subarray(1),
    source: sources[0]!,
    sequence: 1,
    flags: 0,
    publishedAtMs: 1,
    offset: 1,
    bucketSequence: 1,
    previousSequence: 0,
    arrivedMs: 0,
    ownOffset: 0,
  });
  frame.fill(9);
  expect([...shelves.at(1)!.data]).toEqual([2, 3]);
});
