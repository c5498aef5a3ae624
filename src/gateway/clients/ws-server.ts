// (8) The door to the ws package: HTTP for health, and the upgrade on /ws. The ws package reads what clients send; what
// goes out is written by connection.ts.

import type { IncomingMessage, Server } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket, Server as WebSocketServers } from 'ws';
import { WebSocketServer } from 'ws';
import type { Address } from '../../daemon/address.ts';
import { boundAddress, formatAddress } from '../../daemon/address.ts';
import { listening } from '../../daemon/lifecycle.ts';
import { problem } from '../../daemon/problem.ts';
import { answerUnreadable, refuseInForm, refuseUpgrade } from '../../daemon/raw-refusal.ts';
import type { Log } from '../../daemon/log.ts';
import type { Certificate } from '../../daemon/tls.ts';
import { createWebServer } from '../../daemon/tls.ts';
import { CLIENT_PROTOCOL } from '../../protocol/client-frames.ts';
import type { Problem } from '../../protocol/lookup.ts';
import { ClientSocket } from './client-socket.ts';
import type { Connection } from './connection.ts';
import type { Answering } from './http-question.ts';
import { answerRequest, pathOf, responseTo } from './http-question.ts';
import { acceptableOffer } from '../core/deflate-offer.ts';
import { ticketOf } from '../core/handshake.ts';

export interface WsServerOptions {
  address: Address;
  maxFrameBytes: number;
  deflate: boolean;
  /** TCP connections at a time, handshakes and HTTP included; more are closed as they come. */
  maxSockets: number;
  /** Of TLS; without one the port speaks in the clear. */
  certificate: Certificate | undefined;
  log: Log;
}

export interface WsServerEvents {
  /** Judges a handshake; a refusal is answered over HTTP. */
  refuse(origin: string | undefined): Problem | undefined;
  /** Makes the connection of a new socket. */
  open(ws: ClientSocket, socket: Socket, ticket: string | undefined): Connection;
  message(connection: Connection, text: string): void;
  /** A ping or pong of RFC 6455: a sign of life that counts against the rate. */
  control(connection: Connection): void;
  closed(connection: Connection, code: number): void;
  answer: Answering;
}

export interface WsServer {
  /** host:port as bound. */
  address: string;
  /** Answers from now on. To be called in the same turn, before the first connection is accepted. */
  serve(events: WsServerEvents): void;
  /** Takes no more connections; the ones there stay. */
  stopListening(): void;
  /** Ends every socket that is left and resolves when the port is free. */
  close(): Promise<void>;
}

/** Between a close frame of ours and the end of the socket; a client that does not answer is cut. */
const CLOSE_TIMEOUT_MS = 5_000;
/** Of one HTTP connection. */
const MAX_REQUESTS = 100;
const PATH = '/ws';
/** Belongs to the refusal of another one (RFC 6455 section 4.4); the package takes these two. */
const VERSIONS = 'Sec-WebSocket-Version: 13, 8\r\n';

/** Binds the port; `serve` says who answers. */
export async function bindWsServer(options: WsServerOptions): Promise<WsServer> {
  const sockets = new Set<Duplex>();
  const limits = {
    // A slow handshake holds a descriptor: 4,000 of them were all gone by 4 s with these (docs/operations.md).
    headersTimeout: 2_000,
    requestTimeout: 5_000,
    connectionsCheckingInterval: 500,
    keepAliveTimeout: 5_000,
    maxHeaderSize: 16_384,
    requireHostHeader: false,
  };
  const http = createWebServer(limits, options.certificate, options.log);
  // A flood of half-open connections must not take the descriptors that reports to Herald need.
  http.maxConnections = options.maxSockets;
  // Pipelined requests are answered before anyone else has a turn, so a connection that sends too many is cut.
  http.maxRequestsPerSocket = MAX_REQUESTS;
  http.on('clientError', answerUnreadable);
  http.on('dropRequest', (_request: IncomingMessage, socket: Duplex) => socket.destroy());
  const wsOptions = {
    noServer: true,
    clientTracking: false,
    WebSocket: ClientSocket,
    maxPayload: options.maxFrameBytes,
    // The rate limit counts messages, these count the parts of one that is never finished. Who means well sends fewer.
    maxFragments: Math.max(128, options.maxFrameBytes / 512),
    maxBufferedChunks: Math.max(512, options.maxFrameBytes / 256),
    // Above the burst of the rate limit, which closes a flood of pings with a code that says so.
    maxPendingAutoPongs: 64,
    closeTimeout: CLOSE_TIMEOUT_MS,
    handleProtocols: () => CLIENT_PROTOCOL,
    perMessageDeflate: options.deflate && {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      concurrencyLimit: 4,
    },
  };
  const server = new WebSocketServer(wsOptions);

  http.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', forget);
  });
  function forget(this: Socket): void {
    sockets.delete(this);
  }

  const wanted = formatAddress(options.address);
  await listening(
    new Promise<void>((resolve, reject) => {
      http.once('error', reject);
      http.listen({ ...options.address, backlog: 4_096 }, () => {
        http.off('error', reject);
        resolve();
      });
    }),
    wanted,
    '--listen',
  );

  return {
    address: formatAddress(boundAddress(options.address, http)),
    serve: (events) => serve(http, server, events),
    stopListening: () => void http.close(),
    async close() {
      const free = new Promise<void>((resolve) => {
        if (!http.listening && sockets.size === 0) resolve();
        else http.close(() => resolve());
      });
      for (const socket of sockets) socket.destroy();
      await free;
    },
  };
}

function serve(http: Server, server: WebSocketServers<typeof ClientSocket>, events: WsServerEvents): void {
  const hear = listenTo(events);
  http.on('request', (request, response) => answerRequest(request, response, events.answer));
  refuseInForm(http);
  server.on('wsClientError', (error: Error, socket: Duplex) => {
    refuseUpgrade(socket, problem(400, 'bad-request', error.message), VERSIONS);
  });
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!(socket instanceof Socket)) throw new TypeError('an upgrade came without a socket');
    // Java's HttpClient and curl --http2 offer HTTP/2 with each request: they are answered as if they did not.
    if (!/^websocket$/i.test(request.headers.upgrade ?? '')) {
      answerRequest(request, responseTo(request, socket), events.answer);
      return;
    }
    const protocols = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((item) => item.trim());
    const refusal = refusalOf(request, protocols) ?? events.refuse(request.headers.origin);
    if (refusal) {
      refuseUpgrade(socket, refusal);
      return;
    }
    // Offers we cannot meet are declined, as RFC 7692 asks; the package would answer 400.
    const offer = acceptableOffer(request.headers['sec-websocket-extensions'] ?? '');
    if (offer === undefined) delete request.headers['sec-websocket-extensions'];
    else request.headers['sec-websocket-extensions'] = offer;
    const ticket = ticketOf(protocols, request.headers.authorization);
    server.handleUpgrade(request, socket, head, (ws) => {
      ws.connection = events.open(ws, socket, ticket);
      ws.watch(socket);
      hear(ws);
    });
  });
}

/** Listeners shared by all sockets: one closure a connection would cost more than the connection. */
function listenTo(events: WsServerEvents): (ws: ClientSocket) => void {
  function onMessage(this: WebSocket, data: Buffer, isBinary: boolean): void {
    const connection = connectionOf(this);
    if (isBinary) connection?.close(1003, 'text frames only');
    else if (connection) events.message(connection, data.toString());
  }
  function onControl(this: WebSocket): void {
    const connection = connectionOf(this);
    if (connection) events.control(connection);
  }
  // The package has closed with the right code by itself; an 'error' nobody hears would end the process.
  function onError(this: WebSocket): void {
    const connection = connectionOf(this);
    if (connection) connection.isClosedHere = true;
  }
  function onClose(this: WebSocket, code: number): void {
    const connection = connectionOf(this);
    if (!connection) return;
    connection.closing(code);
    events.closed(connection, code);
  }
  return (ws) => {
    ws.on('message', onMessage);
    ws.on('ping', onControl);
    ws.on('pong', onControl);
    ws.on('error', onError);
    ws.on('close', onClose);
  };
}

function connectionOf(ws: WebSocket): Connection | undefined {
  return ws instanceof ClientSocket ? ws.connection : undefined;
}

function refusalOf(request: IncomingMessage, protocols: readonly string[]): Problem | undefined {
  if (pathOf(request) !== PATH) return problem(404, 'no-such-route', `WebSocket is on ${PATH}`);
  if (request.method !== 'GET') return problem(405, 'method-not-allowed', 'a handshake is a GET');
  if (!protocols.includes(CLIENT_PROTOCOL)) {
    return problem(400, 'bad-request', `Sec-WebSocket-Protocol must offer ${CLIENT_PROTOCOL}`);
  }
  return undefined;
}
