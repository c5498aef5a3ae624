// (8) Requests that are no handshake: what is asked, and the answer sent.

import type { IncomingMessage } from 'node:http';
import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface HttpQuestion {
  method: string;
  path: string;
  query: URLSearchParams;
  authorization: string | undefined;
  remoteAddress: string | undefined;
  /** It came through a proxy. */
  forwarded: boolean;
}

export interface HttpAnswer {
  status: number;
  /** Unless said, JSON. */
  contentType?: string;
  body: object;
}

export type Answering = (question: HttpQuestion) => HttpAnswer;

export function answerRequest(request: IncomingMessage, response: ServerResponse, answer: Answering): void {
  const { status, contentType = 'application/json', body } = answer(questionOf(request));
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}

/** The answer to a request that Node took for an upgrade. */
export function responseTo(request: IncomingMessage, socket: Socket): ServerResponse {
  socket.on('error', () => socket.destroy());
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.on('finish', () => socket.destroySoon());
  return response;
}

export function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0]!;
}

/** What proxies say of those they speak for; not all do, and none on a TCP connection that they pass on. */
const PROXY_HEADERS = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
];

function questionOf(request: IncomingMessage): HttpQuestion {
  const { headers, socket, url = '/' } = request;
  return {
    method: request.method ?? '',
    path: pathOf(request),
    query: new URLSearchParams(url.slice(pathOf(request).length)),
    authorization: headers.authorization,
    remoteAddress: socket.remoteAddress,
    forwarded: PROXY_HEADERS.some((name) => headers[name] !== undefined),
  };
}
