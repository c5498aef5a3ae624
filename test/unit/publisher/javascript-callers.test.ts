// Programs without a compiler: what could not be published is refused to them, and does not end the process when the
// frame with it is written.

import { afterEach, expect, it } from 'vitest';
import type { Publisher } from '../../../src/publisher/index.ts';
import { createPublisher } from '../../../src/publisher/index.ts';

let publisher: Publisher | undefined;
afterEach(() => publisher?.close());

it.each([
  [{ heralds: 'http://127.0.0.1:7401' }, 'heralds: received "http://127.0.0.1:7401", expected a list'],
  [{ heralds: ['127.0.0.1:7401'] }, 'heralds: received ["127.0.0.1:7401"], expected a list'],
  [{ herald: 'http://127.0.0.1:7401' }, 'createPublisher: unknown option herald; did you mean heralds?'],
  [{ brokers: [], maxQueue: 5 }, 'createPublisher: unknown option maxQueue; did you mean maxQueued?'],
  [{ brokers: [], timeout: 5 }, 'createPublisher: unknown option timeout; there are heralds, brokers, '],
  [{}, 'heralds: received none, expected a list'],
  [{ heralds: null }, 'heralds: received null, expected a list'],
  [{ brokers: null }, 'brokers: received null, expected a list'],
  [{ brokers: () => {} }, 'brokers: received function, expected a list'],
  [{ brokers: [], curve: 'key' }, "curve: expected the brokers' key"],
  [{ brokers: [], curve: null }, "curve: expected the brokers' key"],
  [{ brokers: [], giveUpMs: '5' }, 'giveUpMs: 5 is not a number'],
  [{ brokers: [], traceOneIn: 'x' }, 'traceOneIn: x is not a whole number'],
  [{ heralds: [] }, 'heralds: received none, expected a list'],
  [undefined, 'createPublisher: received nothing, expected { heralds: [URL] }'],
  ['http://127.0.0.1:7401', 'createPublisher: received "http://127.0.0.1:7401", expected { heralds'],
  [{ brokers: {} }, 'brokers: received {}, expected a list'],
  [{ brokers: [null] }, 'brokers: nothing is at nothing, expected a tcp://host:port endpoint'],
  [{ publisherId: 7 }, 'publisherId: 7 is not an id'],
])('with %o there is none', async (options, words) => {
  await expect(createPublisher(options as object)).rejects.toThrow(RangeError);
  await expect(createPublisher(options as object)).rejects.toThrow(words);
});

it('refuses topics, data and identities of another type', async () => {
  publisher = await createPublisher({ brokers: [] });
  const loose = publisher as unknown as Record<'publish' | 'publishJson', (...args: unknown[]) => unknown>;
  await expect(loose.publish(undefined, 1)).rejects.toMatchObject({ code: 'bad-topic' });
  await expect(loose.publish(5, 1)).rejects.toMatchObject({ code: 'bad-topic' });
  await expect(loose.publishJson('t', '{"a":1}')).rejects.toMatchObject({ code: 'bad-json' });
  await expect(loose.publishJson('t', undefined)).rejects.toMatchObject({ code: 'bad-json' });
  const json = new TextEncoder().encode('1');
  for (const identity of [{ sequence: 1 }, { publisher: 'p' }, { publisher: 'p', sequence: 1, origin: 5 }]) {
    await expect(loose.publishJson('t', json, identity)).rejects.toMatchObject({ code: 'bad-identity' });
  }
});
