// Refusals that no handler makes, in the form of all others: on a bare socket, where no request was read or an upgrade is
// not wanted, and those that Node would make by itself.

import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Problem } from '../protocol/lookup.ts';
import { problem, PROBLEM_CONTENT_TYPE } from './problem.ts';
import { codeOf } from './thrown.ts';

/** A whole HTTP response; `headers` = lines of their own, each with its end. */
export function rawRefusal(body: Problem, headers = ''): string {
  const text = JSON.stringify(body);
  const retry =
    body.retryAfterMs === undefined ? '' : `Retry-After: ${Math.ceil(body.retryAfterMs / 1_000)}\r\n`;
  return (
    `HTTP/1.1 ${body.status} ${STATUS_CODES[body.status]}\r\nConnection: close\r\nCache-Control: no-store\r\n` +
    `${retry}${headers}` +
    `Content-Type: ${PROBLEM_CONTENT_TYPE}\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
  );
}

/** Ends an upgrade that is not wanted. */
export function refuseUpgrade(socket: Duplex, refusal: Problem, headers = ''): void {
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  socket.end(rawRefusal(refusal, headers));
}

/**
 * Refuses in this form what Node refuses with a bare status. The server has its listeners of `request` already, and the
 * option `requireHostHeader: false`.
 */
export function refuseInForm(server: Server): void {
  const usual = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    if (request.headers.host === undefined && request.httpVersion === '1.1') {
      endWith(response, problem(400, 'bad-request', 'a request of HTTP/1.1 needs the header Host'));
    } else for (const listener of usual) listener(request, response);
  });
  server.on('checkExpectation', ({ headers }: IncomingMessage, response: ServerResponse) => {
    const detail = `Expect: received ${headers.expect}, expected 100-continue`;
    endWith(response, problem(417, 'expectation-failed', detail));
  });
}

function endWith(response: ServerResponse, body: Problem): void {
  const text = JSON.stringify(body);
  response.writeHead(body.status, {
    connection: 'close',
    'cache-control': 'no-store',
    'content-type': PROBLEM_CONTENT_TYPE,
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** For the event `clientError` of a server: its parser could not read a request. */
export function answerUnreadable(error: Error, socket: Duplex): void {
  if (socket.writable && codeOf(error) !== 'ECONNRESET' && !isAnswering(socket)) {
    socket.write(rawRefusal(whatIsWrong(error)));
  }
  socket.destroy();
}

/** Another response would end up in the middle of one that has begun. Node knows it so, where it answers by itself. */
function isAnswering(
  socket: Duplex & { _httpMessage?: Pick<ServerResponse, 'headersSent'> | null },
): boolean {
  return socket._httpMessage?.headersSent === true;
}

function whatIsWrong(error: Error & { reason?: unknown }): Problem {
  switch (codeOf(error) ?? '') {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return problem(408, 'request-timeout', 'the request did not come in time');
    case 'HPE_HEADER_OVERFLOW':
      return problem(431, 'headers-too-large', 'the headers are larger than 16,384 bytes');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return problem(413, 'body-too-large', 'the chunk extensions are larger than 16,384 bytes');
    default: {
      const why = typeof error.reason === 'string' ? `: ${error.reason}` : '';
      return problem(400, 'bad-request', `this is no HTTP request${why}`);
    }
  }
}
