import { expect, test } from 'vitest';
import { inBursts } from '../../../src/herald/http/bursts.ts';

function desk() {
  const log: string[] = [];
  let nowMs = 0;
  const take = inBursts<string, string, string>(
    { nowMs: () => nowMs, epochMs: () => nowMs },
    (request) => {
      log.push(`decide ${request}`);
      return request.toUpperCase();
    },
    (response, answer) => log.push(`send ${answer} to ${response}`),
  );
  return {
    log,
    at: (ms: number, request: string): void => {
      nowMs = ms;
      take(request, `${request}'s client`);
    },
    endOfTurn: () => new Promise<void>((resolve) => setImmediate(resolve)),
  };
}

test('answers a request that comes alone at once', () => {
  const { at, log } = desk();
  at(10, 'a');
  at(10.5, 'b');
  expect(log).toEqual(['decide a', "send A to a's client", 'decide b', "send B to b's client"]);
});

test('decides a burst together and sends it after, all in the order in which they came', async () => {
  const { at, log, endOfTurn } = desk();
  at(10, 'a');
  at(10.1, 'b');
  at(10.15, 'c');
  // As late as one that comes alone, though it may not overtake those that wait.
  at(11, 'd');
  expect(log).toEqual(['decide a', "send A to a's client"]);
  await endOfTurn();
  expect(log.slice(2)).toEqual([
    'decide b',
    'decide c',
    'decide d',
    "send B to b's client",
    "send C to c's client",
    "send D to d's client",
  ]);
  at(20, 'e');
  expect(log.slice(-2)).toEqual(['decide e', "send E to e's client"]);
});

test('sends the answers of the next burst to its own clients', async () => {
  const { at, log, endOfTurn } = desk();
  at(10, 'a');
  for (const [i, request] of ['b', 'c'].entries()) {
    at(10.1 + i / 10, request);
    await endOfTurn();
  }
  expect(log.slice(-2)).toEqual(['decide c', "send C to c's client"]);
});
