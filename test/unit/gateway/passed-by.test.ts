import { expect, it } from 'vitest';
import { PassedBy } from '../../../src/gateway/core/passed-by.ts';

it('knows where the messages of many senders stood, each once', () => {
  const passedBy = new PassedBy();
  const senders = Array.from({ length: 50 }, () => passedBy.nextSender());
  for (let sequence = 1; sequence <= 2_000; sequence++)
    for (const sender of senders) passedBy.note(sender, sequence, `e${sender}`, sequence + sender);
  for (const sender of senders) {
    expect(passedBy.take(sender, 2_000)).toEqual({ epoch: `e${sender}`, offset: 2_000 + sender });
    expect(passedBy.take(sender, 2_000)).toBeUndefined();
    expect(passedBy.take(sender, 2_001)).toBeUndefined();
  }
});

it('forgets the oldest for the newest, and takes none for another', () => {
  const passedBy = new PassedBy();
  expect(passedBy.take(1, 1)).toBeUndefined();
  const [one, other] = [passedBy.nextSender(), passedBy.nextSender()];
  for (let sequence = 1; sequence <= 300_000; sequence++) passedBy.note(one, sequence, 'e', sequence);
  expect(passedBy.take(one, 1)).toBeUndefined();
  expect(passedBy.take(other, 299_000)).toBeUndefined();
  expect(passedBy.take(one, 299_000)).toEqual({ epoch: 'e', offset: 299_000 });
});
