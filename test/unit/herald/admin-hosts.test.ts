import { expect, it } from 'vitest';
import { loadConfig } from '../../../src/daemon/config.ts';
import { heraldOptions } from '../../../src/herald/config/herald-options.ts';

const given = (host: string): readonly string[] =>
  loadConfig(heraldOptions, { flags: { adminHosts: [host] } }).adminHosts;

it.each(['herald.internal', 'herald-1', 'ops_1.example.com'])(
  '%s is a name the admin port may answer to',
  (host) => {
    expect(given(host)).toEqual([host]);
  },
);

it.each(['Herald.internal', 'herald.internal:7403', 'https://herald.internal', 'a b', '.internal'])(
  '%s stops the start, since no Host would ever be equal to it',
  (host) => {
    expect(() => given(host)).toThrow(/--admin-hosts: .* host names in lower case, without a port/);
  },
);
