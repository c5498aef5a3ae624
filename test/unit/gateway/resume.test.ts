import { describe, expect, it } from 'vitest';
import type { DeliveredMessage } from '../../../src/gateway/core/feed-port.ts';
import { History } from '../../../src/gateway/core/history.ts';
import { Outbox } from '../../../src/gateway/core/outbox.ts';
import { planResume, replayFetched } from '../../../src/gateway/core/resume.ts';
import type { Topic } from '../../../src/gateway/core/topic.ts';
import { createTopic } from '../../../src/gateway/core/topic.ts';
import { plainAllocate } from '../../../src/gateway/core/ws-frame.ts';

const limits = { maxMessages: 5, maxBytes: 10_000, maxAgeMs: 100 };
const budget = (): { usedBytes: number; maxBytes: number } => ({ usedBytes: 0, maxBytes: 1_000_000 });
const text = (frame: Uint8Array): string => Buffer.from(frame).toString();
const frameOf = (name: string): Uint8Array => Buffer.from(name);

describe('a history', () => {
  const filled = (): History => {
    const history = new History(limits, budget());
    history.restart({ epoch: 'e', offset: 0 });
    for (let offset = 1; offset <= 4; offset++) history.push('e', offset, frameOf(`e${offset}`), 0);
    return history;
  };

  it.each([
    [0, ['e1', 'e2', 'e3', 'e4']],
    [2, ['e3', 'e4']],
    [4, []],
    [5, undefined],
  ])('gives all after offset %d', (offset, expected) => {
    expect(filled().after({ epoch: 'e', offset })?.map(text)).toEqual(expected);
  });

  it('gives nothing for a position it dropped what followed', () => {
    const history = filled();
    for (let offset = 5; offset <= 7; offset++) history.push('e', offset, frameOf(`e${offset}`), 0);
    expect(history.after({ epoch: 'e', offset: 1 })).toBeUndefined();
    expect(history.after({ epoch: 'e', offset: 2 })?.map(text)).toEqual(['e3', 'e4', 'e5', 'e6', 'e7']);
    expect(history.messages).toBe(5);
  });

  it('forgets by age and by bytes, and gives the budget back', () => {
    const shared = budget();
    const history = new History({ ...limits, maxBytes: 5 }, shared);
    history.restart({ epoch: 'e', offset: 0 });
    for (let offset = 1; offset <= 4; offset++) history.push('e', offset, frameOf(`e${offset}`), 0);
    expect(history.messages).toBe(2);
    expect(shared.usedBytes).toBe(4);
    history.trim(101);
    expect([history.messages, shared.usedBytes]).toEqual([0, 0]);
  });

  it('follows a topic across an epoch', () => {
    const history = filled();
    history.push('f', 1, frameOf('f1'), 0);
    expect(history.after({ epoch: 'e', offset: 3 })?.map(text)).toEqual(['e4', 'f1']);
    expect(history.after({ epoch: 'f', offset: 1 })).toEqual([]);
    expect(text(history.last()!)).toBe('f1');
  });

  it('goes on where another place left off, when nothing was here before', () => {
    const history = new History(limits, budget());
    history.restart({ epoch: 'd', offset: 9 });
    history.push('e', 4, frameOf('e4'), 0);
    history.push('e', 5, frameOf('e5'), 0);
    expect(history.after({ epoch: 'e', offset: 3 })?.map(text)).toEqual(['e4', 'e5']);
    expect(history.after({ epoch: 'e', offset: 2 })).toBeUndefined();
    expect(history.after({ epoch: 'd', offset: 9 })?.map(text)).toEqual(['e4', 'e5']);
  });

  it('drops what came before the interest was in force', () => {
    const history = filled();
    history.restartAfter({ epoch: 'e', offset: 2 });
    expect(history.after({ epoch: 'e', offset: 1 })).toBeUndefined();
    expect(history.after({ epoch: 'e', offset: 2 })?.map(text)).toEqual(['e3', 'e4']);
  });

  it('proves nothing from before an uncounted hole', () => {
    const history = filled();
    history.restart(undefined);
    history.push('e', 9, frameOf('e9'), 0);
    expect(history.after({ epoch: 'e', offset: 8 })).toBeUndefined();
    expect(history.after({ epoch: 'e', offset: 9 })).toEqual([]);
  });
});

describe('resuming', () => {
  const topicAt = (epoch: string, offset: number): Topic => {
    const history = new History(limits, budget());
    history.restart({ epoch, offset });
    const flushClass = new Outbox(0.5).classOf(0);
    const topic = createTopic(1, 't', { flushClass, sendsLast: false }, history);
    topic.position = { epoch, offset };
    topic.openedAt = topic.position;
    return topic;
  };
  const receive = (topic: Topic, offset: number): void => {
    topic.position = { epoch: topic.position.epoch, offset };
    topic.history.push(topic.position.epoch, offset, frameOf(`live${offset}`), 0);
  };
  const message = (epoch: string, offset: number): DeliveredMessage => ({
    topic: 't',
    epoch,
    offset,
    data: Buffer.from('0'),
    publishedAtMs: 0,
  });

  it('needs nobody when the client is up to date or ahead of what passed here', () => {
    const topic = topicAt('e', 6);
    receive(topic, 7);
    for (const offset of [7, 9]) {
      expect(planResume(topic, { epoch: 'e', offset }, limits)).toEqual({ how: 'replay', frames: [] });
    }
  });

  it('asks the brokers when the client was up to date before this gateway listened', () => {
    // Another broker may have carried the topic in between, and this one have it back without a new message.
    expect(planResume(topicAt('e', 7), { epoch: 'e', offset: 7 }, limits)).toEqual({ how: 'fetch' });
  });

  it('gives what another broker carried in between, each message in its epoch', () => {
    const epochs = (frames: Uint8Array[] | undefined): (string | undefined)[] | undefined =>
      frames?.map((frame) => /"e":"(\w+)"/.exec(text(frame))?.[1]);
    const numbers = (frames: Uint8Array[] | undefined): (string | undefined)[] | undefined =>
      frames?.map((frame) => /"o":(\d+)|live(\d+)/.exec(text(frame))?.slice(1).join(''));
    const from = { epoch: 'e', offset: 5 };
    const between = [message('f', 1), message('f', 2)];
    const fetched = { complete: true as const, head: { epoch: 'e', offset: 6 } };

    const behind = topicAt('e', 6);
    receive(behind, 7);
    const both = { ...fetched, messages: [...between, message('e', 6)] };
    const frames = replayFetched(behind, from, both, limits, plainAllocate);
    expect(numbers(frames)).toEqual(['1', '2', '6', '7']);
    expect(epochs(frames)).toEqual(['f', undefined, 'e', undefined]);

    // Nothing is between the client and the head of the topic's own epoch.
    const idle = topicAt('e', 6);
    const before = { epoch: 'f', offset: 1 };
    const rest = { ...fetched, messages: [message('f', 2)] };
    expect(numbers(replayFetched(idle, before, rest, limits, plainAllocate))).toEqual(['2']);
    receive(idle, 7);
    expect(numbers(replayFetched(idle, before, rest, limits, plainAllocate))).toEqual(['2', '7']);
    expect(replayFetched(topicAt('e', 8), before, rest, limits, plainAllocate)).toBeUndefined();
  });

  it('refuses without asking anybody what is more than the limit', () => {
    expect(planResume(topicAt('e', 7), { epoch: 'e', offset: 1 }, limits)).toEqual({ how: 'refuse' });
    expect(planResume(topicAt('e', 7), { epoch: '', offset: 0 }, limits)).toEqual({ how: 'refuse' });
  });

  it('asks the brokers for what is not here', () => {
    expect(planResume(topicAt('e', 7), { epoch: 'e', offset: 5 }, limits)).toEqual({ how: 'fetch' });
    expect(planResume(topicAt('e', 7), { epoch: 'd', offset: 5 }, limits)).toEqual({ how: 'fetch' });
  });

  it('joins what was fetched with what came live since, each once', () => {
    const topic = topicAt('e', 7);
    receive(topic, 8);
    receive(topic, 9);
    const fetched = {
      complete: true as const,
      messages: [message('e', 6), message('e', 7), message('e', 8)],
      head: { epoch: 'e', offset: 8 },
    };
    const frames = replayFetched(topic, { epoch: 'e', offset: 5 }, fetched, limits, plainAllocate);
    expect(frames?.map((frame) => /"o":(\d+)|live(\d+)/.exec(text(frame))?.slice(1).join(''))).toEqual([
      '6',
      '7',
      '8',
      '9',
    ]);
  });

  it('leaves to the live feed what is beyond it', () => {
    const topic = topicAt('e', 7);
    const fetched = {
      complete: true as const,
      messages: [message('e', 6), message('e', 7), message('e', 8)],
      head: { epoch: 'e', offset: 8 },
    };
    expect(replayFetched(topic, { epoch: 'e', offset: 5 }, fetched, limits, plainAllocate)).toHaveLength(2);
  });

  it('is all or nothing when a hole remains between fetched and live', () => {
    const topic = topicAt('e', 9);
    receive(topic, 10);
    const fetched = { complete: true as const, messages: [message('e', 6)], head: { epoch: 'e', offset: 6 } };
    expect(replayFetched(topic, { epoch: 'e', offset: 5 }, fetched, limits, plainAllocate)).toBeUndefined();
    const refused = { complete: false as const, why: 'trimmed' as const, head: { epoch: 'e', offset: 9 } };
    expect(replayFetched(topic, { epoch: 'e', offset: 5 }, refused, limits, plainAllocate)).toBeUndefined();
  });
});
