import { describe, expect, it } from 'vitest';
import { parseNumberRules, TopicRules } from '../../../src/gateway/core/topic-rules.ts';

describe('topic rules', () => {
  it('take the longest prefix that fits', () => {
    const rules = new TopicRules(parseNumberRules(['a.=1', 'a.b.=2', 'x=y=3'], 0, 10)!, 9);
    expect(['a.c', 'a.b.c', 'x=y.z', 'other'].map((topic) => rules.of(topic))).toEqual([1, 2, 3, 9]);
  });

  it.each(['a', 'a=', 'a=x', 'a=11', 'a=-1', '='])('refuse %j', (item) => {
    expect(parseNumberRules([item], 0, 10)).toBeUndefined();
  });
});
