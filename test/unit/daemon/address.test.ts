import { describe, expect, it } from 'vitest';
import { checkApart, formatAddress, isLoopback, parseAddress } from '../../../src/daemon/address.ts';
import { StartError } from '../../../src/daemon/lifecycle.ts';

describe('an address of the configuration', () => {
  it.each([
    ['127.0.0.1:7400', { host: '127.0.0.1', port: 7400 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['gateway-1.example.org:65535', { host: 'gateway-1.example.org', port: 65_535 }],
  ])('%s is read and written back', (text, address) => {
    expect(parseAddress(text, '--listen')).toEqual(address);
    expect(formatAddress(address)).toBe(text);
  });

  it.each(['', '7400', ':7400', 'host:', 'host:65536', 'host:-1', '::1:7400', 'host:80x', '[::1]'])(
    '"%s" is refused with the flag that gave it',
    (text) => {
      expect(() => parseAddress(text, '--public-listen')).toThrow(StartError);
      expect(() => parseAddress(text, '--public-listen')).toThrow(/^--public-listen .*: expected host:port$/);
    },
  );
});

describe('loopback', () => {
  it.each(['127.0.0.1', '127.255.0.3', '::1', 'localhost'])('%s stays on this machine', (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', '127.0.0.1.example.org', 'localhost.example.org', ''])(
    '"%s" can be reached by others',
    (host) => {
      expect(isLoopback(host)).toBe(false);
    },
  );
});

describe('two flags', () => {
  const listens = (...texts: string[]): [string, ReturnType<typeof parseAddress>][] =>
    texts.map((text, i) => [`--${i}`, parseAddress(text, `--${i}`)]);

  it.each([
    ['127.0.0.1:7400', '127.0.0.1:7400'],
    ['127.0.0.1:7400', '0.0.0.0:7400'],
    ['[::]:7400', '10.0.0.1:7400'],
  ])('may not both want a port: %s, %s', (one, other) => {
    expect(() => checkApart(listens(one, '127.0.0.1:1', other))).toThrow(
      new StartError(`--2 ${other}: --0 has this port already`),
    );
  });

  it.each([
    ['127.0.0.1:0', '127.0.0.1:0'],
    ['127.0.0.1:7400', '127.0.0.2:7400'],
    ['127.0.0.1:7400', '127.0.0.1:7401'],
  ])('stand beside each other with %s and %s', (one, other) => {
    expect(() => checkApart(listens(one, other))).not.toThrow();
  });
});
