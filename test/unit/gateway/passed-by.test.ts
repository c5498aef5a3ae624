import { expect, it } from 'vitest';
import { PassedBy } from '../../../src/gateway/core/passed-by.ts';

it('knows where the messages of many senders stood, each once from one moment on', () => {
  const passedBy = new PassedBy();
  const senders = Array.from({ length: 50 }, () => passedBy.nextSender());
  for (let sequence = 1; sequence <= 2_000; sequence++)
    for (const sender of senders) passedBy.note(sender, sequence, `e${sender}`, sequence + sender, sequence);
  for (const sender of senders) {
    expect(passedBy.take(sender, 2_000, 1_999, 2_001)).toBeUndefined();
    expect(passedBy.take(sender, 2_001, 2_000, 2_001)).toBeUndefined();
    const stood = { epoch: `e${sender}`, offset: 2_000 + sender };
    expect(passedBy.take(sender, 2_000, 2_000, 2_001)).toEqual(stood);
    expect(passedBy.take(sender, 2_000, 2_000, 2_002)).toBeUndefined();
    expect(passedBy.take(sender, 2_000, 2_001, 2_002)).toEqual(stood);
  }
});

it('forgets the oldest for the newest, and takes none for another', () => {
  const passedBy = new PassedBy();
  expect(passedBy.take(1, 1, 0, 1)).toBeUndefined();
  const [one, other] = [passedBy.nextSender(), passedBy.nextSender()];
  for (let sequence = 1; sequence <= 300_000; sequence++) passedBy.note(one, sequence, 'e', sequence, 0);
  expect(passedBy.take(one, 1, 0, 1)).toBeUndefined();
  expect(passedBy.take(other, 299_000, 0, 1)).toBeUndefined();
  expect(passedBy.take(one, 299_000, 0, 1)).toEqual({ epoch: 'e', offset: 299_000 });
});
