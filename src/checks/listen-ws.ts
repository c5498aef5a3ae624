// The WebSocket edge of the canary check: subscribes to one topic at one gateway, as any client would, and
// says when a given message came.

import { WebSocket } from 'ws';
import { CLIENT_PROTOCOL } from '../protocol/client-frames.ts';
import { decodeClientOut } from '../protocol/client-out-frames.ts';
import type { LookupPick } from '../protocol/lookup.ts';
import { TICKET_PROTOCOL_PREFIX } from '../protocol/ticket.ts';

export interface Listener {
  gateway: string;
  /** Resolves once subscribed; rejects with why not. */
  ready: Promise<unknown>;
  /** Resolves with the monotonic ms at which a message with this data came; rejects at the deadline. */
  heard: Promise<number>;
  close(): void;
}

/** `isWanted` gets the data of each message of the topic. `signal` is the deadline of it all. */
export function listen(
  { gateway, url, ticket }: LookupPick,
  topic: string,
  isWanted: (data: unknown) => boolean,
  signal: AbortSignal,
): Listener {
  const protocols = [CLIENT_PROTOCOL, ...(ticket !== '' ? [`${TICKET_PROTOCOL_PREFIX}${ticket}`] : [])];
  const socket = new WebSocket(url, protocols, { perMessageDeflate: false, maxPayload: 1024 * 1024 });
  const ready = deferred<undefined>();
  const heard = deferred<number>();
  const fail = (why: string): void => {
    ready.reject(new Error(why));
    heard.reject(new Error(why));
  };
  // Whoever awaits neither has been told by the other.
  ready.promise.catch(() => {});
  heard.promise.catch(() => {});

  signal.addEventListener('abort', () => fail('nothing came before the deadline'));
  socket.on('error', (error) => fail(error.message));
  socket.on('close', (code, reason) => fail(`closed with ${code} ${reason.toString()}`.trim()));
  socket.on('open', () => {
    socket.send(JSON.stringify({ op: 'hello', v: 1, caps: [] }));
    socket.send(JSON.stringify({ op: 'sub', id: 1, c: [topic] }));
  });
  socket.on('message', (bytes: Buffer) => {
    const frame = decodeClientOut(bytes.toString());
    if (!frame.ok || frame.value === undefined) return;
    const { value } = frame;
    if (value.op === 'err') fail(`refused with ${value.code}: ${value.msg}`);
    if (value.op === 'ping') socket.send('{"op":"pong"}');
    if (value.op === 'ok' && value.id === 1) {
      const refusal = value.c?.[0]?.err;
      if (refusal === undefined) ready.resolve(undefined);
      else fail(`subscription refused with ${refusal.code}: ${refusal.msg}`);
    }
    if (value.op === 'msg' && value.c === topic && isWanted(value.d)) heard.resolve(performance.now());
  });
  return { gateway, ready: ready.promise, heard: heard.promise, close: () => socket.close(1000) };
}

interface Deferred<T> {
  promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
