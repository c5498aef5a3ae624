// What stops a gateway before it opens anything.

import { expect, it } from 'vitest';
import { loadConfig } from '../../../src/daemon/config.ts';
import { checkConfig } from '../../../src/gateway/config-check.ts';
import { gatewayOptions } from '../../../src/gateway/gateway-options.ts';

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
