// Sends answers whose heads differ in length and date alone. Node needs longer to put such a head together than Herald
// to decide a lookup, so the first head of each second is Node's, and the rest are that one with another length.

import type { ServerResponse } from 'node:http';
import type { Clock } from '../../daemon/clock.ts';
import { inOnePiece } from '../in-one-piece.ts';

/** Sends 200 and `body`, which is ASCII, so that characters are bytes. */
export type AnswerWriter = (response: ServerResponse, body: string) => void;

/** Node's own names for a head that is to be sent, and for a response that ends its connection. */
interface Inside {
  _header?: unknown;
  _last?: unknown;
}

/** A head, but for the length in its midst. */
interface Head {
  before: string;
  after: string;
  second: number;
}

export function createAnswerWriter(headers: Readonly<Record<string, string>>, clock: Clock): AnswerWriter {
  const fields = Object.entries(headers).flat();
  let ofKept: Head | undefined;
  let ofLast: Head | undefined;
  return (response: ServerResponse & Inside, body) => {
    const isLast = !response.shouldKeepAlive;
    const second = Math.floor(clock.epochMs() / 1_000);
    let head = isLast ? ofLast : ofKept;
    if (head?.second !== second) {
      response.writeHead(200, [...fields, 'content-length', String(body.length)]);
      head = headOf(response, second);
      if (head === undefined) {
        response.end(body, 'latin1');
        return;
      }
      if (isLast) ofLast = head;
      else ofKept = head;
    }
    // Node sends a chunk and the end after it as a list of two, the second one empty, which takes a longer way; a
    // response without chunks is one plain write. So the body goes out as the tail of the head, where Node would put it.
    response._header = `${head.before}${body.length}${head.after}${body}`;
    response._last = isLast;
    response.end();
  };
}

const LENGTH = /(?<=\r\ncontent-length: )\d+/;

/** Undefined where another Node has other names: sending is slower there, and as good. */
function headOf({ _header: text, _last: last }: Inside, second: number): Head | undefined {
  if (typeof text !== 'string' || typeof last !== 'boolean') return undefined;
  const [before, after] = text.split(LENGTH);
  return { before: inOnePiece(before!), after: inOnePiece(after!), second };
}
