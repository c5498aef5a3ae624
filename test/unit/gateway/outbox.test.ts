import { describe, expect, it } from 'vitest';
import type { Group } from '../../../src/gateway/core/group.ts';
import type { FlushRun } from '../../../src/gateway/core/outbox.ts';
import { CREDIT_MS, GROUPS_A_FLUSH, Outbox } from '../../../src/gateway/core/outbox.ts';
import { groupOf } from './members.ts';

const groupWithOne = (): Group => {
  const group = groupOf(1);
  group.append(new Uint8Array(1));
  return group;
};

const groupsOf = (runs: readonly FlushRun[]): Group[] => runs.flatMap(({ groups }) => groups);

describe('the outbox', () => {
  it('flushes at once while there is little to do', () => {
    const outbox = new Outbox(0.5);
    outbox.mark(groupWithOne(), outbox.classOf(100), 10);
    expect(outbox.dueMs()).toBe(10);
  });

  it('pays for writing with time, so that it keeps its share of the core', () => {
    for (const [share, everyMs] of [
      [0.5, 8],
      [0.8, 5],
      [0.25, 16],
    ] as const) {
      const outbox = new Outbox(share);
      const startsMs: number[] = [];
      for (let nowMs = 1_000; nowMs < 3_000; nowMs = Math.max(nowMs + 4, outbox.dueMs())) {
        startsMs.push(nowMs);
        outbox.spent(4, nowMs + 4);
        outbox.takeDue(Infinity);
        outbox.mark(groupWithOne(), outbox.classOf(500), nowMs);
      }
      const gaps = startsMs.slice(1).map((startMs, i) => startMs - startsMs[i]!);
      // On saved time without a rest, then evenly.
      const atOnce = gaps.filter((gapMs) => gapMs === 4).length;
      expect(Math.abs(atOnce * 4 - (CREDIT_MS * share) / (1 - share))).toBeLessThan(8);
      expect(gaps.at(-1)).toBeCloseTo(everyMs, 6);
    }
  });

  it('keeps a group once, however much comes for it', () => {
    const outbox = new Outbox(0.5);
    const [slow, quick] = [outbox.classOf(100), outbox.classOf(5)];
    const group = groupWithOne();
    for (const one of [slow, slow, quick, quick, slow]) outbox.mark(group, one, 10);
    expect([slow.groups.length, quick.groups.length]).toEqual([1, 1]);
    expect(groupsOf(outbox.takeDue(10))).toEqual([group]);
  });

  it('cuts the waiting short for topics that may not wait so long', () => {
    const outbox = new Outbox(0.1);
    outbox.spent(60, 1_000);
    outbox.mark(groupWithOne(), outbox.classOf(100), 1_001);
    expect(outbox.dueMs()).toBe(1_101);
    outbox.mark(groupWithOne(), outbox.classOf(5), 1_002);
    expect(outbox.dueMs()).toBe(1_007);
  });

  it('takes only the class that is due, and a group with its fastest topic', () => {
    const outbox = new Outbox(0.1);
    outbox.spent(1_000, 0);
    const [slow, mixed] = [groupWithOne(), groupWithOne()];
    outbox.mark(slow, outbox.classOf(100), 0);
    outbox.mark(mixed, outbox.classOf(100), 0);
    outbox.mark(mixed, outbox.classOf(5), 1);
    outbox.mark(mixed, outbox.classOf(100), 2);
    expect(groupsOf(outbox.takeDue(5))).toEqual([]);
    expect(groupsOf(outbox.takeDue(6))).toEqual([mixed]);
    expect(groupsOf(outbox.takeDue(99))).toEqual([]);
    expect(groupsOf(outbox.takeDue(100))).toEqual([slow]);
    expect(outbox.dueMs()).toBe(Infinity);
  });

  it('takes so many groups at once, those that have waited longest', () => {
    const outbox = new Outbox(0.5);
    const groups = Array.from({ length: GROUPS_A_FLUSH + 10 }, groupWithOne);
    groups.forEach((group, i) => outbox.mark(group, outbox.classOf(1_000), i));
    const first = outbox.takeDue(2_000);
    expect(groupsOf(first)).toEqual(groups.slice(0, GROUPS_A_FLUSH));
    expect(first[0]?.firstMs).toBe(0);
    // What comes meanwhile goes behind those that wait.
    outbox.mark(groups[0]!, outbox.classOf(1_000), 2_000);
    expect(outbox.dueMs()).toBe(GROUPS_A_FLUSH);
    expect(groupsOf(outbox.takeDue(2_000))).toEqual([...groups.slice(GROUPS_A_FLUSH), groups[0]]);
    expect(outbox.dueMs()).toBe(Infinity);
  });

  it('hands out the quickest class first when several are due', () => {
    const outbox = new Outbox(0.5);
    const [patient, quick] = [groupWithOne(), groupWithOne()];
    outbox.mark(patient, outbox.classOf(100), 0);
    outbox.mark(quick, outbox.classOf(5), 1);
    expect(groupsOf(outbox.takeDue(200))).toEqual([quick, patient]);
  });

  it('hands out during a flush only what is quicker and has waited its time', () => {
    const outbox = new Outbox(0.5);
    const [patient, quick] = [groupWithOne(), groupWithOne()];
    outbox.mark(patient, outbox.classOf(100), 0);
    outbox.mark(quick, outbox.classOf(5), 1);
    expect(outbox.takeOverdue(5, 100)).toEqual([]);
    expect(outbox.takeOverdue(200, 5)).toEqual([]);
    expect(groupsOf(outbox.takeOverdue(6, 100))).toEqual([quick]);
    expect(outbox.takeOverdue(200, 100)).toEqual([]);
    expect(groupsOf(outbox.takeDue(200))).toEqual([patient]);
  });

  it('says of each run when the oldest frame in it came, also where a group went to a quicker class', () => {
    const outbox = new Outbox(0.1);
    outbox.spent(1_000, 0);
    const [slow, quick] = [outbox.classOf(100), outbox.classOf(5)];
    const [mixed, patient] = [groupWithOne(), groupWithOne()];
    outbox.mark(mixed, slow, 10);
    outbox.mark(mixed, quick, 30);
    expect(outbox.dueMs()).toBe(35);
    expect(outbox.takeDue(35)).toEqual([{ maxWaitMs: 5, firstMs: 10, groups: [mixed] }]);
    expect(outbox.dueMs()).toBe(Infinity);
    outbox.mark(patient, slow, 90);
    outbox.mark(mixed, slow, 95);
    expect(outbox.dueMs()).toBe(190);
    expect(outbox.takeOverdue(189, Infinity)).toEqual([]);
    expect(outbox.takeDue(190)).toEqual([{ maxWaitMs: 100, firstMs: 90, groups: [patient, mixed] }]);
    expect(outbox.dueMs()).toBe(Infinity);
  });

  it.each([
    ['is due', (outbox: Outbox) => outbox.takeDue(35)],
    ['overtakes a flush', (outbox: Outbox) => outbox.takeOverdue(35, 100)],
  ])('does not flush a group before its time for what a quicker class that %s took', (_, takeQuick) => {
    const outbox = new Outbox(0.1);
    outbox.spent(1_000, 0);
    const [slow, quick] = [outbox.classOf(100), outbox.classOf(5)];
    const mixed = groupWithOne();
    outbox.mark(mixed, slow, 10);
    outbox.mark(mixed, quick, 30);
    expect(groupsOf(takeQuick(outbox))).toEqual([mixed]);
    outbox.mark(mixed, slow, 60);
    expect(outbox.takeDue(110)).toEqual([]);
    expect(outbox.takeDue(160)).toEqual([{ maxWaitMs: 100, firstMs: 60, groups: [mixed] }]);
  });

  it('passes over groups that lost their members meanwhile', () => {
    const outbox = new Outbox(0.5);
    const group = groupWithOne();
    outbox.mark(group, outbox.classOf(0), 0);
    group.remove(group.members[0]!);
    expect(groupsOf(outbox.takeDue(0))).toEqual([]);
  });
});
