// TCP servers that are not ZooKeeper: one that accepts and says nothing, one that accepts and closes, one that shakes
// hands properly and then answers every request with an error code of the test's choice.

import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

export interface FakeServer {
  address: string;
  connections(): number;
  close(): Promise<void>;
}

export function startMuteServer(): Promise<FakeServer> {
  return start(() => {});
}

export function startClosingServer(): Promise<FakeServer> {
  return start((socket) => void socket.destroy());
}

/** Answers requests with `code`; probes (`exists`, type 3) are answered well so that the session lives. */
export function startErrorServer(code: number): Promise<FakeServer> {
  return start((socket) => {
    let pending = Buffer.alloc(0);
    let shaken = false;
    socket.on('data', (bytes) => {
      pending = Buffer.concat([pending, bytes]);
      while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
        const body = pending.subarray(4, 4 + pending.readInt32BE(0));
        pending = pending.subarray(4 + body.length);
        if (!shaken) {
          shaken = true;
          // ConnectResponse: version, timeout, session id, password.
          const reply = Buffer.alloc(36);
          reply.writeInt32BE(4_000, 4);
          reply.writeBigInt64BE(7n, 8);
          reply.writeInt32BE(16, 16);
          socket.write(framed(reply));
          continue;
        }
        const type = body.readInt32BE(4);
        const header = Buffer.alloc(16);
        header.writeInt32BE(body.readInt32BE(0), 0);
        header.writeInt32BE(type === 11 ? 0 : type === 3 ? -101 : code, 12);
        socket.write(framed(header));
      }
    });
  });
}

function framed(body: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  return Buffer.concat([size, body]);
}

async function start(serve: (socket: Socket) => void): Promise<FakeServer> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => sockets.size,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
