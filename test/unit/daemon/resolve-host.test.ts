import { expect, it } from 'vitest';
import { resolveHost } from '../../../src/daemon/resolve-host.ts';

/** A resolver that answers when told to. */
function played(host: string) {
  const asked: ((error: Error | null, address?: string) => void)[] = [];
  const errors: string[] = [];
  const clock = { ms: 0 };
  const address = resolveHost(
    host,
    (error) => errors.push(error.message),
    (_host, done) => asked.push(done),
    () => clock.ms,
  );
  return { asked, errors, clock, address };
}

it('asks a silent resolver one question, however often it is called', () => {
  const { asked, address } = played('statsd.example.com');
  for (let second = 0; second < 100; second++) expect(address()).toBeUndefined();
  expect(asked).toHaveLength(1);
});

it('asks again after a failure, and each minute after an answer, which it keeps meanwhile', () => {
  const { asked, errors, clock, address } = played('statsd.example.com');
  asked[0]!(new Error('EAI_AGAIN'));
  expect(errors).toEqual(['EAI_AGAIN']);
  expect(address()).toBeUndefined();
  asked[1]!(null, '192.0.2.1');
  clock.ms = 59_999;
  expect(address()).toBe('192.0.2.1');
  expect(asked).toHaveLength(2);
  clock.ms = 60_000;
  expect(address()).toBe('192.0.2.1');
  asked[2]!(new Error('ENOTFOUND'));
  expect(address()).toBe('192.0.2.1');
  asked[3]!(null, '192.0.2.2');
  expect(address()).toBe('192.0.2.2');
});

it('asks nobody for what is an address', () => {
  const { asked, address } = played('192.0.2.9');
  expect(address()).toBe('192.0.2.9');
  expect(asked).toHaveLength(0);
});
