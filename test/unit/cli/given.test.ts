import { describe, expect, it } from 'vitest';
import { decimalNumber, heraldUrl, heraldUrls, wholeNumber } from '../../../src/cli/flags/given.ts';

describe('a number given as a flag', () => {
  it('is taken within its range', () => {
    expect(wholeNumber('--bots', '120', 0, 5_000)).toBe(120);
    expect(decimalNumber('--warn', '0.8', 0, 1)).toBe(0.8);
  });

  it.each(['', ' ', 'x', '1.5', '-1', '5001', 'NaN', 'Infinity', '1e999'])(
    '%o is refused by name',
    (text) => {
      expect(() => wholeNumber('--bots', text, 0, 5_000)).toThrow(
        `--bots ${text}: expected an integer from 0 to 5000`,
      );
    },
  );

  it('may have a fraction only where that makes sense', () => {
    expect(() => decimalNumber('--warn', 'abc', 0, 1)).toThrow('--warn abc: expected a number from 0 to 1');
  });
});

describe('the URL of a Herald', () => {
  it('loses its trailing slash, and the path of the lookup itself', () => {
    expect(heraldUrl('--url', 'http://127.0.0.1:7400/v1/lookup')).toBe('http://127.0.0.1:7400');
    expect(heraldUrl('--url', 'https://a/herald/v1/lookup/')).toBe('https://a/herald');
    expect(heraldUrl('--url', 'http://127.0.0.1:7400/')).toBe('http://127.0.0.1:7400');
    expect(heraldUrl('--url', 'https://a.example.com/herald/')).toBe('https://a.example.com/herald');
  });

  it.each([
    '',
    'nonsense',
    '127.0.0.1:7400',
    'localhost:7400',
    'ws://a',
    'file:///etc/passwd',
    'http://a?b',
    'http://a/#b',
  ])('%o is refused by name', (text) => {
    expect(() => heraldUrl('--url', text)).toThrow(
      `--url ${text}: expected a URL such as http://127.0.0.1:7400`,
    );
  });

  it('is refused with credentials, which the message does not repeat', () => {
    expect(() => heraldUrl('--url', 'http://me:word@a')).toThrow('--url http://[hidden]@a: expected');
  });

  it('may be several, with commas', () => {
    expect(heraldUrls('--heralds', 'http://a:1, https://b:2/')).toEqual(['http://a:1', 'https://b:2']);
    expect(() => heraldUrls('--heralds', 'http://a:1,b')).toThrow('--heralds b: expected a URL');
  });
});
