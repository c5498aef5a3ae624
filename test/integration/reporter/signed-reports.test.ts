import { describe, expect, it } from 'vitest';
import { deriveKey, signFeedback } from '../../../src/daemon/secrets.ts';
import { until } from '../../launch/until.ts';
import { herald, reporter } from './given.ts';
import { feedbackReply } from './scripted-herald.ts';

describe('a reporter with a secret', () => {
  it('signs each body with the nonce of that Herald, and takes a new nonce at once', async () => {
    const h = await herald();
    const secret = 'a secret of many characters';
    const key = deriveKey(secret, 'feedback', 'g1');
    let nonce = 'first';
    h.answer = ({ headers, body }) => {
      const right = `g1;${nonce};${signFeedback(key, nonce, body)}`;
      const taken = headers['herald-signature'] === right;
      return { ...feedbackReply(), status: taken ? 200 : 401, headers: { 'herald-nonce': nonce } };
    };
    const r = reporter({ heralds: [h.url], secret });
    await r.flush();
    expect(r.snapshot().heralds[0]!.state).toBe('up');
    nonce = 'second';
    await r.flush();
    expect(r.snapshot().heralds[0]!.state).toBe('up');
    await r.close();
    expect(h.seen.at(-1)).toMatchObject({ method: 'DELETE' });
    expect(h.seen.at(-1)!.headers['herald-signature']).toBe(`g1;second;${signFeedback(key, 'second', '')}`);
  });

  it('treats a Herald that refuses its signature as failing, without hammering it', async () => {
    const h = await herald();
    h.answer = () => ({ status: 401, headers: { 'herald-nonce': 'n' }, body: {} });
    const r = reporter({ heralds: [h.url], secret: 'a secret of many characters', periodMs: 50 });
    await until('the link is failing', () => r.snapshot().heralds[0]!.failures >= 3);
    expect(h.seen.length).toBeLessThan(8);
  });
});
