// (8) The frames of `herald.v1.json`: text frames, one JSON object each, named by direction as the gateway
// sees it. Unknown fields are ignored; an unknown op is answered with `err` and the connection lives on,
// which is what lets old and new versions meet. docs/protocol.md has an example of every frame.

import type { Decoded, Fields, Refusal } from './decode.ts';
import { decodeJson, decoding, optionalText, readFields, refuse, requiredInteger } from './decode.ts';
import { OPTIONAL_EPOCH_PATTERN, OPTIONAL_EPOCH_WORDS, TOPIC_PATTERN, TOPIC_WORDS } from './names.ts';

export const CLIENT_PROTOCOL = 'herald.v1.json';

/** Where a subscriber stands in a topic: the broker's epoch and an offset that grows by one a message. */
export interface Position {
  e: string;
  o: number;
}

/**
 * Where a client stands that comes back. `also`: how far it saw other epochs, since brokers take turns at a topic and
 * gateways may give their messages in another order.
 */
export interface ResumeFrom extends Position {
  also?: Position[];
}

export interface SubscribeItem {
  c: string;
  /** Resume after this position. */
  from?: ResumeFrom;
}

export type ClientIn =
  | { op: 'hello'; v: number; caps: string[]; token?: string }
  | { op: 'sub'; id: number; c: SubscribeItem[] }
  | { op: 'unsub'; id: number; c: string[] }
  | { op: 'pub'; id: number; c: string; d: unknown }
  | { op: 'ping' }
  | { op: 'pong' }
  | { op: 'bye' }
  /** A known op with a usable id but a field that is not: answered with `err`, the connection lives on. */
  | { op: 'refused'; id: number; refusal: Refusal }
  /** An op this decoder does not know; a negotiated capability may, hence all its fields. */
  | { op: 'unknown'; name: string; id?: number; fields: Fields };

export interface SubscribedItem {
  c: string;
  /** Epoch of the topic's broker, empty while none is known. */
  e: string;
  /** Offset of the newest message the subscriber already has or will not get; the next `msg` is above it. */
  o: number;
  /** Answers `from`: true when every message after it follows; false when the client must fetch state itself. */
  rec?: boolean;
  /** Why this topic was refused; the others of the frame stand. */
  err?: { code: number; msg: string };
}

export interface Welcome {
  op: 'welcome';
  v: 1;
  caps: string[];
  conn: string;
  gateway: string;
  pingMs: number;
  /** Bytes of a frame, topics of a connection, frames a second. */
  max: { frame: number; topics: number; perSec: number };
  lookup: string[];
}

export interface MoveOrder {
  op: 'move';
  why: 'drain' | 'balance' | 'shutdown';
  /** The client moves at a random time within this. */
  spreadMs: number;
  /** The gateway closes what is left from here on. */
  deadlineMs: number;
  ticket?: string;
  lookup?: string;
}

export type ClientOut =
  | Welcome
  | { op: 'ok'; id: number; c?: SubscribedItem[] }
  /** `e` stands in the first message of another epoch than the topic's last frame: offsets count anew. */
  | { op: 'msg'; c: string; e?: string; o: number; d: unknown }
  /** `n` messages from offset `from` on are lost; 0 = not known (`why` says more). Resume from epoch `e`. */
  | { op: 'gap'; c: string; e: string; from: number; n: number; why: string }
  | { op: 'ping' }
  | { op: 'pong' }
  | MoveOrder
  | { op: 'err'; id?: number; code: number; msg: string }
  | { op: 'bye' };

export const CLIENT_LIMITS = {
  maxFrameBytes: 65_536,
  maxTopics: 128,
  messagesPerSec: 20,
  newTopicsPerSec: 50,
  helloTimeoutMs: 5_000,
  pingMs: 25_000,
  maxTokenChars: 8_192,
} as const;

export const MAX_FRAME_ID = 2 ** 31 - 1;
const TOKEN_PATTERN = new RegExp(`^[\\x20-\\x7e]{0,${CLIENT_LIMITS.maxTokenChars}}$`);
const TOKEN_WORDS = `at most ${CLIENT_LIMITS.maxTokenChars} printable characters`;
const ANSWERED_OPS: ReadonlySet<unknown> = new Set(['sub', 'unsub', 'pub']);
/** Topics that one `sub` or `unsub` may name. */
export const MAX_TOPICS_PER_FRAME = 1_000;
/** Positions beside the last one. */
export const MAX_ALSO = 7;

/** Decodes one text frame from a client. A refusal means the frame is malformed, not that its op is unknown. */
export function decodeClientIn(text: string): Decoded<ClientIn> {
  const json = decodeJson(text, 'frame');
  if (!json.ok) return json;
  const frame = decoding(() => readClientIn(readFields(json.value, 'frame')));
  if (frame.ok) return frame;
  const from = json.value as Fields | null;
  const id = from?.['id'];
  const answerable =
    ANSWERED_OPS.has(from?.['op']) && Number.isSafeInteger(id) && frame.refusal.field !== 'id';
  return answerable
    ? { ok: true, value: { op: 'refused', id: id as number, refusal: frame.refusal } }
    : frame;
}

function readClientIn(from: Fields): ClientIn {
  const op = from['op'];
  switch (op) {
    case 'hello': {
      const token = optionalText(from, 'token', TOKEN_PATTERN, TOKEN_WORDS);
      const caps = from['caps'] ?? [];
      if (!Array.isArray(caps) || caps.length > 32 || !caps.every((cap) => typeof cap === 'string')) {
        refuse('caps', caps, 'an array of at most 32 strings');
      }
      return {
        op,
        v: requiredInteger(from, 'v', 1, 1_000),
        caps,
        ...(token !== undefined && { token }),
      };
    }
    case 'sub':
      return { op, id: readId(from), c: readList(from['c']).map(readSubscribeItem) };
    case 'unsub':
      return { op, id: readId(from), c: readList(from['c']).map((topic, i) => readTopic(topic, `c[${i}]`)) };
    case 'pub': {
      const id = readId(from);
      if (from['d'] === undefined) refuse('d', undefined, 'any JSON value');
      return { op, id, c: readTopic(from['c'], 'c'), d: from['d'] };
    }
    case 'ping':
    case 'pong':
    case 'bye':
      return { op };
    default: {
      if (typeof op !== 'string' || op.length === 0 || op.length > 32) {
        refuse('op', op, 'a string of 1 to 32 characters');
      }
      // What else an id may be is for the capability to say that has this op.
      const id = from['id'];
      return { op: 'unknown', name: op, fields: from, ...(isFrameId(id) && { id }) };
    }
  }
}

function isFrameId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_FRAME_ID;
}

function readId(from: Fields): number {
  return requiredInteger(from, 'id', 0, MAX_FRAME_ID);
}

function readList(value: unknown): unknown[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_TOPICS_PER_FRAME) {
    return refuse('c', value, `an array of 1 to ${MAX_TOPICS_PER_FRAME} topics`);
  }
  return value;
}

/** `{"c":"topic","from":{...}}`, or just the topic as a string. */
function readSubscribeItem(value: unknown, index: number): SubscribeItem {
  const field = `c[${index}]`;
  if (typeof value === 'string') return { c: readTopic(value, field) };
  const from = readFields(value, field);
  const topic = readTopic(from['c'], `${field}.c`);
  if (from['from'] === undefined || from['from'] === null) return { c: topic };
  return { c: topic, from: readResumeFrom(from['from'], `${field}.from`) };
}

function readResumeFrom(value: unknown, field: string): ResumeFrom {
  const { also } = readFields(value, field);
  const position = readPosition(value, field);
  if (also === undefined || also === null) return position;
  if (!Array.isArray(also) || also.length > MAX_ALSO) {
    return refuse(`${field}.also`, also, `an array of at most ${MAX_ALSO} positions`);
  }
  return { ...position, also: also.map((one, i) => readPosition(one, `${field}.also[${i}]`)) };
}

function readPosition(value: unknown, field: string): Position {
  const position = readFields(value, field);
  const epoch = position['e'];
  if (typeof epoch !== 'string' || !OPTIONAL_EPOCH_PATTERN.test(epoch)) {
    return refuse(`${field}.e`, epoch, OPTIONAL_EPOCH_WORDS);
  }
  return { e: epoch, o: requiredInteger(position, 'o', 0, Number.MAX_SAFE_INTEGER) };
}

function readTopic(value: unknown, field: string): string {
  if (typeof value !== 'string' || !TOPIC_PATTERN.test(value)) return refuse(field, value, TOPIC_WORDS);
  return value;
}
