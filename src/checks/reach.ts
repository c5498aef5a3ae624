// Whether a gateway's address takes a TCP connection: what a lookup's answer is worth.

import { once } from 'node:events';
import { connect } from 'node:net';
import { codeOf, messageOf } from '../daemon/thrown.ts';

/** Milliseconds it took, or why it did not. Never rejects. */
export async function reach(
  url: string,
  timeoutMs: number,
): Promise<{ ok: true; tookMs: number } | { ok: false; why: string }> {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const startMs = performance.now();
  const socket = connect({ host, port: port === '' ? (protocol === 'wss:' ? 443 : 80) : Number(port) });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) });
    return { ok: true, tookMs: performance.now() - startMs };
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'AbortError';
    return { ok: false, why: isLate ? `silent for ${timeoutMs} ms` : (codeOf(error) ?? messageOf(error)) };
  } finally {
    socket.destroy();
  }
}
