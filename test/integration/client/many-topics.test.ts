// The client SDK with more topics than one frame, or a few of them, can name.

import { afterEach, expect, it } from 'vitest';
import type { Client } from '../../../src/client/index.ts';
import type { LaunchedGateway } from '../../launch/gateway.ts';
import { launchGateway } from '../../launch/gateway.ts';
import { until } from '../../launch/until.ts';
import { clientOfOne } from './client-of-one.ts';

let running: LaunchedGateway | undefined;
let client: Client | undefined;
afterEach(async () => {
  client?.close();
  await running?.gateway.close();
});

it.each([
  { topics: 5_000, maxFrameBytes: 65_536 },
  { topics: 200, maxFrameBytes: 4_096 },
])('is live with $topics topics at a gateway that takes $maxFrameBytes bytes a frame', async (limits) => {
  running = await launchGateway({ maxTopics: 5_000, maxFrameBytes: limits.maxFrameBytes });
  const { url, gateway } = running;
  client = clientOfOne(url, {
    topics: Array.from({ length: limits.topics }, (_, i) => `${'long.'.repeat(10)}${i}`),
  });
  await until('it to be live', () => client!.state.name === 'live');
  expect(gateway.snapshot().subscriptions).toBe(limits.topics);
  expect(gateway.snapshot().closes).toEqual([]);
  client.unsubscribe(...Array.from({ length: limits.topics }, (_, i) => `${'long.'.repeat(10)}${i}`));
  await until('all to be left', () => gateway.snapshot().subscriptions === 0);
});
