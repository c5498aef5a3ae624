import { describe, expect, it } from 'vitest';
import type { DeliveredMessage, FetchedHistory, ResumePoint } from '../../../src/gateway/core/feed-port.ts';
import { History } from '../../../src/gateway/core/history.ts';
import { HistoryBudget } from '../../../src/gateway/core/history-budget.ts';
import { encodeMessage } from '../../../src/gateway/core/message-frame.ts';
import { Outbox } from '../../../src/gateway/core/outbox.ts';
import type { ResumePlan } from '../../../src/gateway/core/resume.ts';
import { planResume, replayFetched, SETTLED_MS } from '../../../src/gateway/core/resume.ts';
import type { Topic } from '../../../src/gateway/core/topic.ts';
import { createTopic } from '../../../src/gateway/core/topic.ts';
import { plainAllocate } from './plain-allocate.ts';

const limits = { maxMessages: 5, maxBytes: 10_000, maxAgeMs: 100 };

describe('resuming', () => {
  const topicAt = (epoch: string, offset: number): Topic => {
    const history = new History({ ...limits, maxAgeMs: 120_000 }, new HistoryBudget(1_000_000));
    history.restart({ epoch, offset });
    const flushClass = new Outbox(0.5).classOf(0);
    const topic = createTopic(1, 't', { flushClass, sendsLast: false }, history);
    topic.position = { epoch, offset };
    topic.openedAt = topic.position;
    topic.openedMs = 0;
    return topic;
  };
  const receive = (topic: Topic, offset: number, epoch = topic.position.epoch, atMs = 0): void => {
    topic.position = { epoch, offset };
    topic.history.push(
      epoch,
      offset,
      encodeMessage(topic.prefix, '', offset, Buffer.from('0'), plainAllocate),
      atMs,
    );
  };
  /** `epoch:offset` of each frame, as one hears it who was in `epoch`. */
  const heard = (frames: readonly Uint8Array[] | undefined, epoch: string): string[] | undefined => {
    let at = epoch;
    return frames?.map((frame) => {
      const [, named, offset] = /(?:"e":"(\w+)",)?"o":(\d+)/.exec(Buffer.from(frame).toString())!;
      return `${(at = named ?? at)}:${offset}`;
    });
  };
  const plan = (topic: Topic, from: ResumePoint, nowMs = 20_000): ResumePlan =>
    planResume(topic, from, limits, nowMs, plainAllocate);
  const join = (topic: Topic, from: ResumePoint, fetched: FetchedHistory): string[] | undefined =>
    heard(replayFetched(topic, from, fetched, limits, 20_000, plainAllocate), from.epoch);
  const complete = (messages: DeliveredMessage[], ...reached: [string, number][]): FetchedHistory => {
    const [epoch, offset] = reached.at(-1)!;
    return { complete: true, messages, head: { epoch, offset }, reached: new Map(reached) };
  };
  const message = (epoch: string, offset: number): DeliveredMessage => ({
    topic: 't',
    epoch,
    offset,
    data: Buffer.from('0'),
    publishedAtMs: 0,
  });

  it('needs nobody when what the client saw last passed here, long after this gateway began to listen', () => {
    const topic = topicAt('e', 6);
    for (const offset of [7, 8, 9]) receive(topic, offset, 'e', SETTLED_MS + offset);
    for (const offset of [9, 12]) {
      expect(plan(topic, { epoch: 'e', offset })).toEqual({ how: 'replay', frames: [] });
    }
    const behind = plan(topic, { epoch: 'e', offset: 7 });
    expect(behind.how === 'replay' && heard(behind.frames, 'e')).toEqual(['e:8', 'e:9']);
  });

  it('refuses who was there before a hole that nobody counted, so that the client is told of it', () => {
    const topic = topicAt('e', 6);
    topic.history.restartAfterHole(SETTLED_MS);
    receive(topic, 9, 'e', SETTLED_MS + 1);
    expect(plan(topic, { epoch: 'e', offset: 7 })).toEqual({ how: 'refuse' });
    expect(plan(topic, { epoch: 'e', offset: 9 })).not.toEqual({ how: 'refuse' });
  });

  it('asks the brokers when the client was there before this gateway listened, or not long after', () => {
    // Another broker may have carried the topic in between, and this one have it back without a new message.
    expect(plan(topicAt('e', 7), { epoch: 'e', offset: 7 })).toEqual({ how: 'fetch' });
    const topic = topicAt('e', 6);
    receive(topic, 7, 'e', SETTLED_MS - 1);
    expect(plan(topic, { epoch: 'e', offset: 7 })).toEqual({ how: 'fetch' });
    // Also when it began to listen while another broker had the topic.
    const standIn = topicAt('f', 3);
    receive(standIn, 6, 'e', 5);
    expect(plan(standIn, { epoch: 'e', offset: 5 })).toEqual({ how: 'fetch' });
  });

  it('gives what came here in another order than where the client was', () => {
    // There: e7, then the cut. Here the stand-in's two messages came first.
    const topic = topicAt('e', 6);
    const atMs = SETTLED_MS + 500;
    receive(topic, 1, 'f', atMs);
    receive(topic, 2, 'f', atMs + 10);
    receive(topic, 7, 'e', atMs + 20);
    receive(topic, 8, 'e', atMs + 30);
    const given = (from: ResumePoint): string[] | false | undefined => {
      const planned = plan(topic, from);
      return planned.how === 'replay' && heard(planned.frames, from.epoch);
    };
    expect(given({ epoch: 'e', offset: 7, also: [{ epoch: 'f', offset: 1 }] })).toEqual(['f:2', 'e:8']);
    expect(given({ epoch: 'e', offset: 7 })).toEqual(['f:1', 'f:2', 'e:8']);
    expect(given({ epoch: 'f', offset: 2, also: [{ epoch: 'e', offset: 6 }] })).toEqual(['e:7', 'e:8']);
  });

  it('joins what was fetched with what came of every epoch since', () => {
    const from = { epoch: 'e', offset: 5 };
    const between = [message('f', 1), message('f', 2)];
    const behind = topicAt('e', 6);
    receive(behind, 3, 'f');
    receive(behind, 7, 'e');
    const both = complete([...between, message('e', 6)], ['f', 2], ['e', 6]);
    expect(join(behind, from, both)).toEqual(['f:1', 'f:2', 'e:6', 'f:3', 'e:7']);
    // The owner had carried e7 when it answered, the stand-in not yet f3.
    const later = complete([...between, message('e', 6), message('e', 7)], ['f', 2], ['e', 7]);
    expect(join(behind, from, later)).toEqual(['f:1', 'f:2', 'e:6', 'e:7', 'f:3']);

    // All that came of the client's own epoch came here: it is named again behind the other.
    const live = topicAt('e', 5);
    receive(live, 6, 'e');
    expect(join(live, from, complete(between, ['f', 2], ['e', 5]))).toEqual(['f:1', 'f:2', 'e:6']);

    const before = { epoch: 'f', offset: 1 };
    const rest = complete([message('f', 2)], ['f', 2], ['e', 6]);
    expect(join(topicAt('e', 6), before, rest)).toEqual(['f:2']);
    expect(join(topicAt('e', 8), before, rest)).toBeUndefined();
  });

  it('refuses without asking anybody what is more than the limit', () => {
    expect(plan(topicAt('e', 7), { epoch: 'e', offset: 1 })).toEqual({ how: 'refuse' });
    expect(plan(topicAt('e', 7), { epoch: '', offset: 0 })).toEqual({ how: 'refuse' });
    expect(plan(topicAt('e', 7), { epoch: 'e', offset: 2 })).toEqual({ how: 'fetch' });
  });

  it('gives one who waited for a broker, as this gateway did, all there is', () => {
    const topic = topicAt('', 0);
    receive(topic, 1, 'e', 5);
    const planned = plan(topic, { epoch: '', offset: 0 });
    expect(planned.how === 'replay' && heard(planned.frames, '')).toEqual(['e:1']);
  });

  it('asks the brokers for what is not here', () => {
    expect(plan(topicAt('e', 7), { epoch: 'e', offset: 5 })).toEqual({ how: 'fetch' });
    expect(plan(topicAt('e', 7), { epoch: 'd', offset: 5 })).toEqual({ how: 'fetch' });
  });

  it('joins what was fetched with what came live since, each once', () => {
    const topic = topicAt('e', 7);
    for (const offset of [8, 9]) receive(topic, offset);
    const fetched = complete([message('e', 6), message('e', 7), message('e', 8)], ['e', 8]);
    expect(join(topic, { epoch: 'e', offset: 5 }, fetched)).toEqual(['e:6', 'e:7', 'e:8', 'e:9']);
  });

  it('gives as many as the limit, and of one more nothing', () => {
    const topic = topicAt('e', 8);
    for (const offset of [9, 10]) receive(topic, offset);
    const fetched = complete([message('e', 6), message('e', 7), message('e', 8)], ['e', 8]);
    expect(join(topic, { epoch: 'e', offset: 5 }, fetched)).toHaveLength(limits.maxMessages);
    receive(topic, 11);
    expect(join(topic, { epoch: 'e', offset: 5 }, fetched)).toBeUndefined();
  });

  it('gives as many bytes as the limit, and of one more nothing', () => {
    const topic = topicAt('e', 5);
    receive(topic, 6);
    const bytes = encodeMessage(topic.prefix, '', 6, Buffer.from('0'), plainAllocate).length;
    const within = (maxBytes: number): number | undefined =>
      replayFetched(
        topic,
        { epoch: 'e', offset: 5 },
        complete([], ['e', 5]),
        { ...limits, maxBytes },
        20_000,
        plainAllocate,
      )?.length;
    expect([within(bytes), within(bytes - 1)]).toEqual([1, undefined]);
  });

  it('gives nothing again of an epoch whose copy ends before what the client has', () => {
    const topic = topicAt('e', 5);
    for (const offset of [6, 7]) receive(topic, offset, 'e');
    expect(join(topic, { epoch: 'e', offset: 6 }, complete([], ['e', 5]))).toEqual(['e:7']);
  });

  it('leaves to the live feed what is beyond it, but for what may have come as a twin', () => {
    const topic = topicAt('e', 7);
    const ahead = message('e', 8);
    const from = { epoch: 'e', offset: 6 };
    expect(join(topic, from, complete([message('e', 7), ahead], ['e', 8]))).toEqual(['e:7']);
    const twin = complete([message('e', 7), { ...ahead, hasTwin: true }], ['e', 8]);
    expect(join(topic, from, twin)).toEqual(['e:7', 'e:8']);
  });

  it('is all or nothing when a hole remains between fetched and live', () => {
    const topic = topicAt('e', 9);
    receive(topic, 10);
    const from = { epoch: 'e', offset: 5 };
    expect(join(topic, from, complete([message('e', 6)], ['e', 6]))).toBeUndefined();
    expect(
      join(topic, from, { complete: false, why: 'trimmed', head: { epoch: 'e', offset: 9 } }),
    ).toBeUndefined();
    topic.history.restartAfterHole(19_990);
    expect(join(topic, from, complete([], ['e', 10]))).toBeUndefined();
  });
});
