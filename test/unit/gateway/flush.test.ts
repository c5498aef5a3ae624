// What a flush writes next, where a quicker class comes in between.

import { expect, it } from 'vitest';
import { Flush } from '../../../src/gateway/core/flush.ts';
import type { Group } from '../../../src/gateway/core/group.ts';
import { Outbox } from '../../../src/gateway/core/outbox.ts';
import { groupOf } from './members.ts';
import { plainAllocate } from './plain-allocate.ts';

const FRAME = new Uint8Array(1);

/** As fan-out.ts goes on with a flush, for at most one member. True when the group was written. */
function writeOne(flush: Flush, nowMs: number): boolean {
  const { group } = flush;
  if (!group) return false;
  if (!group.flushing && group.hasPending) group.begin();
  group.writeSome(1, plainAllocate);
  if (group.flushing) return false;
  flush.written(nowMs);
  return true;
}

it('writes a group that was overtaken by itself to its end, then what came meanwhile, and then others', () => {
  const outbox = new Outbox(1);
  const [slow, quick] = [outbox.classOf(100), outbox.classOf(5)];
  const flush = new Flush(outbox);
  const group = groupOf(3);
  group.append(FRAME);
  outbox.mark(group, slow, 0);
  flush.begin(100);
  writeOne(flush, 100);
  expect(group.flushing).toBe(true);
  group.append(FRAME);
  outbox.mark(group, quick, 100);
  const other = groupOf(1);
  other.append(FRAME);
  outbox.mark(other, quick, 100);
  flush.letQuickerPass(105);
  for (let n = 0; flush.group === group && n < 20; n++) writeOne(flush, 106);
  expect(group.members.map(({ position }) => position)).toEqual([2, 2, 2]);
  expect(flush.group).toBe(other);
  for (let n = 0; flush.group && n < 20; n++) writeOne(flush, 106);
  expect([group.hasPending, flush.dueMs, outbox.dueMs()]).toEqual([false, Infinity, Infinity]);
});

it('is overtaken again only after as long as it had to wait, and from the next flush on at once', () => {
  const outbox = new Outbox(1);
  const [slow, quick] = [outbox.classOf(100), outbox.classOf(5)];
  const flush = new Flush(outbox);
  const wait = (group: Group, how = slow): Group => {
    group.append(FRAME);
    outbox.mark(group, how, 0);
    return group;
  };
  const long = wait(groupOf(1));
  flush.begin(100);
  const [first, second] = [wait(groupOf(1), quick), groupOf(1)];
  flush.letQuickerPass(100);
  expect(flush.group).toBe(first);
  writeOne(flush, 120);
  wait(second, quick);
  flush.letQuickerPass(139);
  expect(flush.group).toBe(long);
  writeOne(flush, 139);
  expect(flush.group).toBeUndefined();
  // The quick one waits still; so does another slow one, which begins a flush of its own.
  outbox.takeDue(139);
  wait(long);
  flush.begin(139);
  wait(second, quick);
  flush.letQuickerPass(139);
  expect(flush.group).toBe(second);
});
