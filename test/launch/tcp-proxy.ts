// A TCP proxy on loopback that can misbehave as networks do: delay, freeze (hold everything, keep the
// connections open), cut (reset what is open, refuse what comes), or end a reply in the middle.

import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface TcpProxy {
  port: number;
  /** `127.0.0.1:port`. */
  address: string;
  /** One way, both directions. */
  setDelayMs(delayMs: number): void;
  /** Nothing passes either way, nothing closes; new connections are accepted and held too. */
  freeze(): void;
  /** Lets everything held go on. */
  thaw(): void;
  /** Resets every connection and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  /** Passes this many more bytes from the server to clients, then resets those connections, once. */
  cutAfterBytes(bytes: number): void;
  /** Resets the open connections; new ones are welcome. */
  dropConnections(): void;
  connections(): number;
  close(): Promise<void>;
}

export async function startTcpProxy(targetPort: number, targetHost = '127.0.0.1'): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let delayMs = 0;
  let frozen = false;
  let isCut = false;
  let budget = Infinity;
  const held: (() => void)[] = [];

  const whenFlowing = (pass: () => void): void => {
    if (frozen) held.push(pass);
    else if (delayMs > 0) setTimeout(() => (frozen ? held.push(pass) : pass()), delayMs);
    else pass();
  };
  const reset = (pair: readonly [Socket, Socket]): void => {
    pairs.delete(pair);
    for (const socket of pair) socket.resetAndDestroy();
  };
  const pipe = (from: Socket, to: Socket, pair: readonly [Socket, Socket], fromServer: boolean): void => {
    from.setNoDelay();
    from.on('data', (bytes) =>
      whenFlowing(() => {
        if (!fromServer || bytes.length <= budget) {
          if (fromServer) budget -= bytes.length;
          to.write(bytes);
          return;
        }
        const half = bytes.subarray(0, budget);
        budget = Infinity;
        // The half must be read before the reset, which would overtake it.
        to.write(half, () => setTimeout(() => reset(pair), 20));
      }),
    );
    from.on('end', () => whenFlowing(() => to.end()));
    from.on('error', () => reset(pair));
    from.on('close', () => pairs.delete(pair));
  };

  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (isCut) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ port: targetPort, host: targetHost, allowHalfOpen: true });
    const pair = [client, upstream] as const;
    pairs.add(pair);
    pipe(client, upstream, pair, false);
    pipe(upstream, client, pair, true);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    port,
    address: `127.0.0.1:${port}`,
    setDelayMs: (next) => (delayMs = next),
    freeze: () => (frozen = true),
    thaw() {
      frozen = false;
      for (const pass of held.splice(0)) pass();
    },
    cut() {
      isCut = true;
      for (const pair of pairs) reset(pair);
    },
    mend: () => (isCut = false),
    cutAfterBytes: (bytes) => (budget = bytes),
    dropConnections() {
      for (const pair of pairs) reset(pair);
    },
    connections: () => pairs.size,
    async close() {
      for (const pair of pairs) reset(pair);
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
