// Signed requests of a gateway or broker to one Herald. The nonce comes with the Herald's answers and is good for half a
// minute, and a Herald may not know a new cluster secret yet. So a request that is refused is repeated with the
// nonce that came with the refusal, and then with each further key.

import { deriveKey, NONCE_HEADER, SIGNATURE_HEADER, signFeedback } from './secrets.ts';

const UNAUTHORIZED = 401;

export interface SignedAnswer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Calls `send` with the headers that sign `body`, until the answer is no refusal or nothing is left to try. */
export type SignedExchange = <A extends SignedAnswer>(
  body: string,
  send: (headers: Record<string, string>) => Promise<A>,
) => Promise<A>;

/** `id` is who speaks. `secrets`: the likeliest first; none = unsigned, which Heralds take on loopback only. */
export function createSignedExchange(id: string, secrets: readonly string[]): SignedExchange {
  const keys = secrets.map((secret) => deriveKey(secret, 'feedback', id));
  let nonce = '';
  /** The key that was right last time. */
  let at = 0;
  const signature = (body: string): Record<string, string> => {
    const key = keys[at];
    if (key === undefined || nonce === '') return {};
    return { [SIGNATURE_HEADER]: `${id};${nonce};${signFeedback(key, nonce, body)}` };
  };
  return async (body, send) => {
    let isRenewed = false;
    let keysLeft = keys.length - 1;
    for (;;) {
      const signedWith = nonce;
      const answer = await send(signature(body));
      const announced = answer.headers[NONCE_HEADER];
      if (typeof announced === 'string') nonce = announced;
      if (answer.status !== UNAUTHORIZED) return answer;
      if (nonce !== signedWith && !isRenewed) {
        isRenewed = true;
      } else if (keysLeft > 0) {
        keysLeft -= 1;
        at = (at + 1) % keys.length;
      } else {
        return answer;
      }
    }
  };
}
