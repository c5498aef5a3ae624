import { describe, expect, it } from 'vitest';
import { allowedUrls } from '../../../src/herald/config/allowed-urls.ts';

describe('a pattern of allowedUrls', () => {
  it.each([
    ['*', 'wss://anything.example/else'],
    ['wss://*/ws', 'wss://gw.example.com:7410/ws'],
    ['wss://*.example.com/ws', 'wss://gw-1.eu.example.com/ws'],
    ['wss://gateway-*.example.com/ws', 'wss://gateway-7.example.com/ws'],
    ['ws://127.0.0.1:*/*', 'ws://127.0.0.1:7410/ws'],
    ['ws://10.0.0.*:7410/ws', 'ws://10.0.0.17:7410/ws'],
    ['ws://10.0.*:*/ws', 'ws://10.0.3.17:7410/ws'],
    ['ws://gateway-*:7410/ws', 'ws://gateway-blue:7410/ws'],
    ['ws://[fd00::*]:7410/ws', 'ws://[fd00::17]:7410/ws'],
  ])('%s lets %s pass', (pattern, url) => expect(allowedUrls([pattern])(url)).toBe(true));

  it.each([
    ['wss://*.example.com/ws', 'wss://gw.example.com.evil.test/ws'],
    ['wss://*.example.com/ws', 'wss://evil.test/.example.com/ws'],
    ['wss://*.example.com/ws', 'wss://gw.example.com/ws/more'],
    ['ws://10.0.0.*:7410/ws', 'ws://10.0.0.evil.test:7410/ws'],
    ['ws://10.0.0.1*:7410/ws', 'ws://10.0.0.1.evil.test:7410/ws'],
    ['ws://10.0.*:*/ws', 'ws://10.0.0.evil.test:7410/ws'],
    ['ws://gateway-*:7410/ws', 'ws://gateway-1.evil.test:7410/ws'],
    ['wss://gateway.*/ws', 'wss://gateway.evil.test/ws'],
  ])('%s does not let %s pass', (pattern, url) => expect(allowedUrls([pattern])(url)).toBe(false));
});
