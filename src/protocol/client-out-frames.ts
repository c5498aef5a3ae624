// (8) Decodes the frames a gateway sends. A client trusts them no further than a gateway trusts its clients:
// behind a wrong URL anything may answer.

import type { ClientOut, MoveOrder, SubscribedItem, Welcome } from './client-frames.ts';
import { CLIENT_LIMITS, MAX_FRAME_ID } from './client-frames.ts';
import type { Decoded, Fields } from './decode.ts';
import {
  decodeJson,
  decoding,
  optionalBoolean,
  optionalInteger,
  optionalNumber,
  optionalText,
  readFields,
  refuse,
  requiredInteger,
} from './decode.ts';
import { OPTIONAL_EPOCH_PATTERN, OPTIONAL_EPOCH_WORDS } from './names.ts';

/** Decodes one text frame from a gateway. Ops a later gateway may send come back as `undefined`. */
export function decodeClientOut(text: string): Decoded<ClientOut | undefined> {
  const json = decodeJson(text, 'frame');
  if (!json.ok) return json;
  return decoding(() => readClientOut(readFields(json.value, 'frame')));
}

function readClientOut(from: Fields): ClientOut | undefined {
  const op = from['op'];
  switch (op) {
    case 'welcome':
      return readWelcome(from);
    case 'msg': {
      const epoch = optionalText(from, 'e', OPTIONAL_EPOCH_PATTERN, OPTIONAL_EPOCH_WORDS);
      return {
        op,
        c: anyText(from, 'c'),
        ...(epoch !== undefined && { e: epoch }),
        o: requiredInteger(from, 'o', 0, Number.MAX_SAFE_INTEGER),
        d: from['d'],
      };
    }
    case 'gap':
      return {
        op,
        c: anyText(from, 'c'),
        e: optionalText(from, 'e', OPTIONAL_EPOCH_PATTERN, OPTIONAL_EPOCH_WORDS) ?? '',
        from: optionalInteger(from, 'from', 0, Number.MAX_SAFE_INTEGER) ?? 0,
        n: requiredInteger(from, 'n', 0, Number.MAX_SAFE_INTEGER),
        why: anyText(from, 'why'),
      };
    case 'ok': {
      const items = from['c'];
      if (items !== undefined && !Array.isArray(items)) refuse('c', items, 'an array');
      return {
        op,
        id: requiredInteger(from, 'id', 0, MAX_FRAME_ID),
        ...(items !== undefined && { c: (items as unknown[]).map(readSubscribedItem) }),
      };
    }
    case 'move':
      return readMove(from);
    case 'err': {
      const id = optionalInteger(from, 'id', 0, MAX_FRAME_ID);
      return { op, ...(id !== undefined && { id }), ...readError(from) };
    }
    case 'ping':
    case 'pong':
    case 'bye':
      return { op };
    default:
      return undefined;
  }
}

function readWelcome(from: Fields): Welcome {
  const max = readFields(from['max'] ?? {}, 'max');
  return {
    op: 'welcome',
    v: 1,
    caps: texts(from, 'caps'),
    conn: anyText(from, 'conn'),
    gateway: anyText(from, 'gateway'),
    pingMs: requiredInteger(from, 'pingMs', 1, 86_400_000),
    max: {
      frame: optionalInteger(max, 'frame', 1, Number.MAX_SAFE_INTEGER) ?? CLIENT_LIMITS.maxFrameBytes,
      topics: optionalInteger(max, 'topics', 1, Number.MAX_SAFE_INTEGER) ?? CLIENT_LIMITS.maxTopics,
      perSec: optionalNumber(max, 'perSec', 1, 1e9) ?? CLIENT_LIMITS.messagesPerSec,
    },
    lookup: texts(from, 'lookup'),
  };
}

function readMove(from: Fields): MoveOrder {
  const why = from['why'];
  const ticket = from['ticket'] === undefined ? undefined : anyText(from, 'ticket');
  const lookup = from['lookup'] === undefined ? undefined : anyText(from, 'lookup');
  return {
    op: 'move',
    // A reason this client does not know: it moves as for a drain, which no gateway asks for lightly.
    why: why === 'balance' || why === 'shutdown' ? why : 'drain',
    spreadMs: requiredInteger(from, 'spreadMs', 0, 86_400_000),
    deadlineMs: requiredInteger(from, 'deadlineMs', 0, 86_400_000),
    ...(ticket !== undefined && { ticket }),
    ...(lookup !== undefined && { lookup }),
  };
}

function readSubscribedItem(value: unknown, index: number): SubscribedItem {
  const from = readFields(value, `c[${index}]`);
  const rec = optionalBoolean(from, 'rec');
  return {
    c: anyText(from, 'c'),
    e: optionalText(from, 'e', OPTIONAL_EPOCH_PATTERN, OPTIONAL_EPOCH_WORDS) ?? '',
    o: optionalInteger(from, 'o', 0, Number.MAX_SAFE_INTEGER) ?? 0,
    ...(rec !== undefined && { rec }),
    ...(from['err'] !== undefined && { err: readError(readFields(from['err'], `c[${index}].err`)) }),
  };
}

function readError(from: Fields): { code: number; msg: string } {
  return { code: requiredInteger(from, 'code', 0, 65_535), msg: anyText(from, 'msg') };
}

function anyText(from: Fields, field: string): string {
  const value = from[field];
  return typeof value === 'string' ? value : refuse(field, value, 'a string');
}

function texts(from: Fields, field: string): string[] {
  const value = from[field] ?? [];
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) {
    return refuse(field, value, 'an array of strings');
  }
  return value;
}
