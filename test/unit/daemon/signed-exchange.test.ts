import { expect, it } from 'vitest';
import { deriveKey, signFeedback } from '../../../src/daemon/secrets.ts';
import { createSignedExchange } from '../../../src/daemon/signed-exchange.ts';

const [OLD, NEW] = ['the secret of yesterday', 'the secret of tomorrow'];

/** A Herald that knows one secret, as a gateway with `secrets` speaks to it. */
function spokenTo(herald: { secret: string; nonce: string }, secrets: string[]) {
  const exchange = createSignedExchange('gw-1', secrets);
  const sent: (string | undefined)[] = [];
  const say = async (): Promise<number> => {
    sent.length = 0;
    const { status } = await exchange('body', async (headers) => {
      sent.push(headers['herald-signature']);
      const right = signFeedback(deriveKey(herald.secret, 'feedback', 'gw-1'), herald.nonce, 'body');
      const status = sent.at(-1) === `gw-1;${herald.nonce};${right}` ? 200 : 401;
      return { status, headers: { 'herald-nonce': herald.nonce } };
    });
    return status;
  };
  return { say, sent };
}

it('says the first word unsigned, to learn the nonce, and the next ones once', async () => {
  const { say, sent } = spokenTo({ secret: NEW, nonce: 'n' }, [NEW]);
  expect([await say(), sent.length, sent[0]]).toEqual([200, 2, undefined]);
  expect([await say(), sent.length]).toEqual([200, 1]);
});

it('takes a new nonce at once, and finds the key of a Herald that has not the new secret yet', async () => {
  const herald = { secret: OLD, nonce: 'first' };
  const { say, sent } = spokenTo(herald, [NEW, OLD]);
  expect([await say(), sent.length]).toEqual([200, 3]);
  expect([await say(), sent.length]).toEqual([200, 1]);
  herald.nonce = 'second';
  expect([await say(), sent.length]).toEqual([200, 2]);
  Object.assign(herald, { secret: NEW, nonce: 'third' });
  expect([await say(), sent.length]).toEqual([200, 3]);
});

it.each([
  [[], 2],
  [[OLD], 2],
  [[OLD, 'the secret of last week'], 3],
])('gives up at a Herald that takes none of %j', async (secrets, tries) => {
  const { say, sent } = spokenTo({ secret: NEW, nonce: 'n' }, secrets);
  expect([await say(), sent.length]).toEqual([401, tries]);
});

it('does not run after nonces that change with each answer', async () => {
  const exchange = createSignedExchange('gw-1', [NEW]);
  let sent = 0;
  const { status } = await exchange('', async () => {
    sent += 1;
    return { status: 401, headers: { 'herald-nonce': `n${sent}` } };
  });
  expect([status, sent]).toEqual([401, 2]);
});
