import type { Subscriber } from '../../../src/gateway/core/group.ts';
import { Group } from '../../../src/gateway/core/group.ts';

export function member(deliver: Subscriber['deliver'] = () => {}): Subscriber {
  return { deliver, variant: 0, group: undefined, indexInGroup: 0, position: 0 };
}

/** A group of members that listen to nothing. */
export function groupOf(members: number): Group {
  const group = new Group('g', [], 0);
  for (let n = 0; n < members; n++) group.add(member());
  return group;
}
