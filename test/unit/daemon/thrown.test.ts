import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { errorFields } from '../../../src/daemon/log.ts';
import { codeOf, messageOf } from '../../../src/daemon/thrown.ts';

const withCode = (message: string, code: unknown): Error => Object.assign(new Error(message), { code });

it.each([
  ['an error', new Error('broken'), undefined, 'broken'],
  ['an error of the system', withCode('open x', 'ENOENT'), 'ENOENT', 'open x'],
  ['a number for a code, as DOMException has', withCode('too late', 23), undefined, 'too late'],
  ['neither words nor code', new TypeError(''), undefined, 'TypeError'],
  ['a text', 'no', undefined, 'no'],
  ['nothing', undefined, undefined, 'undefined'],
])('tells the code and the words of %s', (_what, thrown, code, words) => {
  expect(codeOf(thrown)).toBe(code);
  expect(messageOf(thrown)).toBe(words);
});

it('has words for a name whose addresses all refuse', async () => {
  const error = await new Promise<unknown>((resolve) => {
    const lookup = (_host: string, _how: object, done: (error: null, addresses: object[]) => void): void =>
      done(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '127.0.0.2', family: 4 },
      ]);
    connect({ host: 'nobody.example', port: 1, lookup: lookup as never }).once('error', resolve);
  });
  expect(error).toBeInstanceOf(AggregateError);
  expect(errorFields(error)).toEqual({ error: 'ECONNREFUSED', code: 'ECONNREFUSED' });
});

it('an error is logged without a number that says nothing', () => {
  const error = new DOMException('no answer in time', 'TimeoutError');
  expect(errorFields(error)).toEqual({ error: 'no answer in time' });
});
