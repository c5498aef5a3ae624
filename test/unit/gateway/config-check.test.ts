// What stops a gateway before it opens anything.

import { expect, it } from 'vitest';
import { loadConfig } from '../../../src/daemon/config.ts';
import { checkConfig, socketLimits } from '../../../src/gateway/config/config-check.ts';
import { gatewayOptions } from '../../../src/gateway/config/gateway-options.ts';

const check = (flags: Record<string, unknown>): unknown => checkConfig(loadConfig(gatewayOptions, { flags }));

it.each([
  ['--labels blue: expected key=value', { labels: ['plan=pro', 'blue'] }],
  ['labels', { labels: ['=pro'] }],
  ['--soft-buffer-bytes', { softBufferBytes: 300_000, hardBufferBytes: 200_000 }],
  ['--tickets required', { tickets: 'required' }],
])('does not start with %s', (message, flags) => {
  expect(() => check(flags)).toThrow(message);
});

it('starts with labels that a lookup may ask for, also with an empty value', () => {
  expect(() => check({ labels: ['plan=pro', 'beta='] })).not.toThrow();
});

it.each([
  [15_000, Infinity, { maxConnections: 15_000, maxSockets: 16_000 }],
  [15_000, 65_408, { maxConnections: 15_000, maxSockets: 16_000 }],
  [15_000, 3_968, { maxConnections: 3_472, maxSockets: 3_968 }],
  [15_000, 128, { maxConnections: 112, maxSockets: 128 }],
  [50, 128, { maxConnections: 50, maxSockets: 66 }],
])('takes of %d clients as many as fit into %d connections', (most, room, limits) => {
  expect(socketLimits(most, room)).toEqual(limits);
});
