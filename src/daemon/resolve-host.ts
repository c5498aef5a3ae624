// A host name's IPv4 address, for callers that ask every second and must not wait. Each question to the system's
// resolver holds a thread of Node's pool until it is answered, so only one is asked at a time.

import { lookup } from 'node:dns';
import { isIP } from 'node:net';

/** Names move: how old an answer may be before it is asked for again. */
const FRESH_MS = 60_000;

export type Resolve = (host: string, done: (error: Error | null, address?: string) => void) => void;

const systemResolver: Resolve = (host, done) =>
  lookup(host, 4, (error, address) => done(error, error ? undefined : address));

/**
 * The function that answers the last address known, undefined before the first. A failed question keeps the address,
 * is told to `onError`, and is asked again with the next call.
 */
export function resolveHost(
  host: string,
  onError: (error: Error) => void,
  resolve: Resolve = systemResolver,
  nowMs = () => performance.now(),
): () => string | undefined {
  if (isIP(host)) return () => host;
  let address: string | undefined;
  let answeredAtMs = -Infinity;
  let asking = false;
  const ask = (): void => {
    if (asking || nowMs() - answeredAtMs < FRESH_MS) return;
    asking = true;
    resolve(host, (error, answer) => {
      asking = false;
      if (error) {
        onError(error);
        return;
      }
      address = answer;
      answeredAtMs = nowMs();
    });
  };
  ask();
  return () => {
    ask();
    return address;
  };
}
