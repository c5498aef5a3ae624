// The client SDK with more topics than one frame, or a few of them, can name.

import { afterEach, expect, it } from 'vitest';
import type { Client } from '../../../src/client/index.ts';
import { gatewayForTest } from '../../launch/gateway.ts';
import { until } from '../../launch/until.ts';
import { clientOfOne } from './client-of-one.ts';

let client: Client | undefined;
afterEach(() => client?.close());

it.each([
  { topics: 5_000, maxFrameBytes: 65_536 },
  { topics: 200, maxFrameBytes: 4_096 },
])('is live with $topics topics at a gateway that takes $maxFrameBytes bytes a frame', async (limits) => {
  const { url, gateway } = await gatewayForTest({ maxTopics: 5_000, maxFrameBytes: limits.maxFrameBytes });
  client = clientOfOne(url, {
    topics: Array.from({ length: limits.topics }, (_, i) => `${'long.'.repeat(10)}${i}`),
  });
  await until('it to be live', () => client!.state.name === 'live');
  expect(gateway.snapshot().subscriptions).toBe(limits.topics);
  expect(gateway.snapshot().closes).toEqual([]);
  client.unsubscribe(...Array.from({ length: limits.topics }, (_, i) => `${'long.'.repeat(10)}${i}`));
  await until('all to be left', () => gateway.snapshot().subscriptions === 0);
});
