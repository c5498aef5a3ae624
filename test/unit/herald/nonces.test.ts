import { expect, it } from 'vitest';
import { createNonces } from '../../../src/herald/http/nonces.ts';

const GOOD_FOR_MS = 30_000;

function nonces() {
  let nowMs = 1_000;
  const made = createNonces(GOOD_FOR_MS, { nowMs: () => nowMs, epochMs: () => 0 });
  return {
    current: () => made.current(),
    isGood: (nonce: string, id: string) => made.isGood(nonce, id),
    spend: (id: string) => made.spend(id),
    wait: (ms: number) => void (nowMs += ms),
  };
}

it('tells a new nonce before the last one is old, so that who takes it from each answer is in time', () => {
  const { current, isGood, wait } = nonces();
  const first = current();
  wait(4_999);
  expect(current()).toBe(first);
  wait(1);
  const second = current();
  expect(second).not.toBe(first);
  expect([isGood(first, 'gw-1'), isGood(second, 'gw-1')]).toEqual([true, true]);
});

it('takes a nonce for half a minute, also when nobody asked for another one meanwhile', () => {
  const { current, isGood, wait } = nonces();
  const first = current();
  wait(GOOD_FOR_MS - 1);
  expect(isGood(first, 'gw-1')).toBe(true);
  wait(1);
  expect(isGood(first, 'gw-1')).toBe(false);
  expect(isGood('never told', 'gw-1')).toBe(false);
});

it('takes nothing that was signed before a goodbye from who said it, and all from the others', () => {
  const { current, isGood, spend } = nonces();
  const before = current();
  spend('gw-1');
  expect([isGood(before, 'gw-1'), isGood(before, 'gw-2')]).toEqual([false, true]);
  const after = current();
  expect([isGood(after, 'gw-1'), isGood(after, 'gw-2')]).toEqual([true, true]);
});

it('remembers goodbyes for as long as a nonce of before would be good', () => {
  const { current, isGood, spend, wait } = nonces();
  const before = current();
  spend('gw-1');
  wait(GOOD_FOR_MS - 1);
  spend('gw-2');
  current();
  expect([isGood(before, 'gw-1'), isGood(before, 'gw-3')]).toEqual([false, true]);
});

it('ends the oldest nonces early where goodbyes bring too many', () => {
  const { current, isGood, spend } = nonces();
  const first = current();
  for (let i = 0; i < 9_999; i++) spend(`gw-${i}`);
  const later = current();
  expect(isGood(first, 'another')).toBe(true);
  spend('gw-9999');
  expect([isGood(first, 'another'), isGood(later, 'another')]).toEqual([false, true]);
});
