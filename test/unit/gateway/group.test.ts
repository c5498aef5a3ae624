import { describe, expect, it } from 'vitest';
import type { Subscriber } from '../../../src/gateway/core/group.ts';
import { Group } from '../../../src/gateway/core/group.ts';
import { plainAllocate } from './plain-allocate.ts';

interface Listener extends Subscriber {
  heard: string;
  writes: number;
  frames: number;
}

const listener = (): Listener => ({
  heard: '',
  writes: 0,
  frames: 0,
  variant: 0,
  group: undefined,
  indexInGroup: 0,
  position: 0,
  deliver(bytes, frames) {
    this.heard += Buffer.from(bytes).toString();
    this.writes += 1;
    this.frames += frames;
  },
});
const frame = (text: string): Uint8Array => Buffer.from(text);
const flush = (group: Group): void => {
  group.begin();
  while (group.flushing) group.writeSome(1, plainAllocate);
};

describe('a group', () => {
  it('writes what was collected as one buffer, the same object to everyone', () => {
    const group = new Group('k', [], 0);
    const buffers = new Set<Uint8Array>();
    const members = Array.from({ length: 3 }, () => ({
      ...listener(),
      deliver: (bytes: Uint8Array) => void buffers.add(bytes),
    }));
    for (const member of members) group.add(member);
    group.append(frame('a'));
    group.append(frame('b'));
    flush(group);
    expect([...buffers].map((bytes) => Buffer.from(bytes).toString())).toEqual(['ab']);
  });

  it('gives a newcomer only what comes after it joined', () => {
    const group = new Group('k', [], 0);
    const first = listener();
    const second = listener();
    group.add(first);
    group.append(frame('a'));
    group.add(second);
    group.append(frame('b'));
    flush(group);
    expect([first.heard, second.heard]).toEqual(['ab', 'b']);
    expect([first.frames, second.frames]).toEqual([2, 1]);
  });

  it('neither skips nor repeats anyone when members come and go halfway through a flush', () => {
    const group = new Group('k', [], 0);
    const members = Array.from({ length: 6 }, listener);
    for (const member of members) group.add(member);
    group.append(frame('a'));
    group.begin();
    group.writeSome(2, plainAllocate);
    const owed = group.remove(members[0]!);
    const late = listener();
    group.add(late);
    group.append(frame('b'));
    while (group.flushing) group.writeSome(1, plainAllocate);
    expect(owed).toBe(1);
    for (const { heard } of members.slice(1)) expect(['a', 'ab']).toContain(heard);
    flush(group);
    expect(members.slice(1).map(({ heard }) => heard)).toEqual(['ab', 'ab', 'ab', 'ab', 'ab']);
    expect(late.heard).toBe('b');
  });

  it('gives what comes in the middle of a round to those whose turn is yet to come, and the rest in the next', () => {
    const group = new Group('k', [], 0);
    const members = Array.from({ length: 4 }, listener);
    for (const member of members) group.add(member);
    group.append(frame('a'));
    group.begin();
    group.writeSome(2, plainAllocate);
    group.append(frame('b'));
    while (group.flushing) group.writeSome(1, plainAllocate);
    expect(members.map(({ heard }) => heard)).toEqual(['ab', 'ab', 'a', 'a']);
    expect([group.written, group.end]).toEqual([1, 2]);
    flush(group);
    expect(members.map(({ heard }) => heard)).toEqual(['ab', 'ab', 'ab', 'ab']);
    expect(members.map(({ writes }) => writes)).toEqual([1, 1, 2, 2]);
    expect([group.written, group.hasPending]).toEqual([2, false]);
  });

  it('catches one member up ahead of the flush, from the round under way and what came since', () => {
    const group = new Group('k', [], 0);
    const [eager, patient] = [listener(), listener()];
    group.add(eager);
    group.add(patient);
    group.append(frame('a'));
    group.append(frame('b'));
    group.begin();
    group.append(frame('c'));
    expect(group.catchUp(eager, plainAllocate)).toBe(3);
    expect(eager).toMatchObject({ heard: 'abc', writes: 1 });
    expect(group.catchUp(eager, plainAllocate)).toBe(0);
    while (group.flushing) group.writeSome(1, plainAllocate);
    flush(group);
    expect([eager.heard, patient.heard]).toEqual(['abc', 'abc']);
  });

  it('says how many frames a leaving member was owed', () => {
    const group = new Group('k', [], 0);
    const one = listener();
    group.add(one);
    group.append(frame('a'));
    flush(group);
    group.append(frame('b'));
    group.append(frame('c'));
    expect(group.remove(one)).toBe(2);
  });
});
