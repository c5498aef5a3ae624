// (8) What a client's frame asks for, in the state its connection is in. A verdict in, nothing out: the
// connection carries it out. Malformed frames end the connection (40xx, the client would repeat itself); a bad
// field or an unknown op is answered with `err` and costs nothing more.

import type { ClientIn, ClientOut, SubscribeItem } from '../../protocol/client-frames.ts';
import { decodeClientIn } from '../../protocol/client-frames.ts';
import { CLOSE } from '../../protocol/close-codes.ts';
import type { Fields, Refusal } from '../../protocol/decode.ts';
import { refusalText } from '../../protocol/decode.ts';
import type { RawField } from '../../protocol/raw-field.ts';
import { rawField } from '../../protocol/raw-field.ts';
import type { Capability, CapabilityOp } from './capabilities.ts';

export type SessionState = 'greeting' | 'open' | 'closing';

export type Verdict =
  | { do: 'welcome'; caps: readonly string[]; token: string | undefined }
  | { do: 'subscribe'; id: number; items: readonly SubscribeItem[] }
  | { do: 'unsubscribe'; id: number; topics: readonly string[] }
  | { do: 'publish'; id: number; topic: string; data: RawField }
  | { do: 'extend'; run: CapabilityOp; fields: Fields }
  | { do: 'answer'; frame: ClientOut }
  | { do: 'close'; code: number; msg: string }
  | { do: 'nothing' };

/** The one major version spoken under `herald.v1.json`. */
const VERSION = 1;

export function judgeFrame(text: string, state: SessionState, caps: readonly Capability[]): Verdict {
  if (state === 'closing') return { do: 'nothing' };
  const decoded = decodeClientIn(text);
  if (!decoded.ok) {
    return { do: 'close', code: CLOSE.protocolError, msg: refusalText(decoded.refusal) };
  }
  const frame = decoded.value;
  return state === 'greeting' ? judgeGreeting(frame) : judgeOpen(text, frame, caps);
}

function judgeGreeting(frame: ClientIn): Verdict {
  if (frame.op !== 'hello') {
    return { do: 'close', code: CLOSE.protocolError, msg: 'the first frame must be hello' };
  }
  if (frame.v !== VERSION) {
    return { do: 'close', code: CLOSE.badVersion, msg: `v is ${frame.v}, this gateway speaks ${VERSION}` };
  }
  return { do: 'welcome', caps: frame.caps, token: frame.token };
}

function judgeOpen(text: string, frame: ClientIn, caps: readonly Capability[]): Verdict {
  switch (frame.op) {
    case 'hello':
      return { do: 'close', code: CLOSE.protocolError, msg: 'hello was said before' };
    case 'sub':
      return { do: 'subscribe', id: frame.id, items: frame.c };
    case 'unsub':
      return { do: 'unsubscribe', id: frame.id, topics: frame.c };
    case 'pub':
      return { do: 'publish', id: frame.id, topic: frame.c, data: rawField(text, 'd')! };
    case 'ping':
      return { do: 'answer', frame: { op: 'pong' } };
    case 'pong':
      return { do: 'nothing' };
    case 'bye':
      return { do: 'close', code: 1000, msg: 'bye' };
    case 'refused':
      return { do: 'answer', frame: errorFrame(frame.id, codeOf(frame.refusal), refusalText(frame.refusal)) };
    case 'unknown': {
      const run = caps.find(({ ops }) => ops !== undefined && Object.hasOwn(ops, frame.name))?.ops?.[
        frame.name
      ];
      if (run) return { do: 'extend', run, fields: frame.fields };
      return { do: 'answer', frame: errorFrame(frame.id, CLOSE.protocolError, `unknown op ${frame.name}`) };
    }
  }
}

function codeOf({ field }: Refusal): number {
  return /^c(\[\d+\](\.c)?)?$/.test(field) ? CLOSE.badTopic : CLOSE.protocolError;
}

export function errorFrame(id: number | undefined, code: number, msg: string): ClientOut {
  return { op: 'err', ...(id !== undefined && { id }), code, msg };
}
