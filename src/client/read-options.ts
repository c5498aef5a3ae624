// (6) What a program gave, as what the machine takes. No compiler checks a program in JavaScript, so what could never
// work is a TypeError that names it, and not a client that tries for ever.

import type { Position } from '../protocol/client-frames.ts';
import { shown } from '../protocol/decode.ts';
import type { LookupRequest, PreferredLabel } from '../protocol/lookup.ts';
import { DEFAULT_PREFERENCE, LOOKUP_LIMITS } from '../protocol/lookup.ts';
import { unknownOption } from '../protocol/nearest.ts';
import {
  OPTIONAL_EPOCH_PATTERN,
  OPTIONAL_EPOCH_WORDS,
  TOPIC_PATTERN,
  TOPIC_WORDS,
} from '../protocol/names.ts';
import type { ConnectOptions, Timers, WebSocketConstructor } from './connect-options.ts';
import { runtimeTimers } from './runtime.ts';

/** A `hello` holds 32, two of them the client's own. */
const MAX_CAPS = 30;
const CAP_PATTERN = /^[\w.-]{1,64}$/;

/** Every option; those without a type here are read below. */
const OPTIONS: Record<keyof ConnectOptions, { are: readonly string[]; words: string } | undefined> = {
  herald: undefined,
  topics: undefined,
  pool: { are: ['string'], words: 'a text' },
  zone: { are: ['string'], words: 'a text' },
  labels: undefined,
  prefer: undefined,
  exclude: undefined,
  key: { are: ['string'], words: 'a text' },
  size: { are: ['number'], words: 'a number' },
  token: { are: ['string', 'function'], words: 'a text, or a function that says one' },
  caps: undefined,
  webSocket: { are: ['function'], words: 'a class such as WebSocket of npm ws' },
  fetch: { are: ['function'], words: 'a function' },
  random: { are: ['function'], words: 'a function' },
  timers: undefined,
};
const OPTION_NAMES = Object.keys(OPTIONS) as (keyof ConnectOptions)[];

/** That they are options, and of the right types; what more each must be is read below. */
export function checkOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`connect: received ${shown(options)}, expected options such as { herald: URL }`);
  }
  const unknown = unknownOption('connect', options, OPTION_NAMES);
  if (unknown !== undefined) throw new TypeError(unknown);
  for (const name of OPTION_NAMES) {
    const value = (options as Record<string, unknown>)[name];
    const type = OPTIONS[name];
    if (type && value !== undefined && !type.are.includes(typeof value)) {
      throw new TypeError(`${name}: received ${shown(value)}, expected ${type.words}`);
    }
  }
}

/** One URL or several; what each of them must be is checked where they are asked. */
export function readHeralds(herald: unknown): readonly string[] {
  if (typeof herald === 'string') return [herald];
  const urls = readList('herald', herald, "a Herald's URL as a text, or a list of them") as string[];
  if (urls.length > 0) return urls;
  throw new TypeError('herald: received no URL');
}

export function readWishes(topics: unknown = []): { topic: string; from?: Position }[] {
  return readList('topics', topics, 'a list').map(readWish);
}

export function readWish(wish: unknown): { topic: string; from?: Position } {
  if (typeof wish !== 'object' || wish === null) return { topic: readTopic(wish) };
  const { topic, from } = wish as { topic?: unknown; from?: { epoch?: unknown; offset?: unknown } };
  if (typeof topic !== 'string') throw new TypeError(`${shown(wish)} is not ${TOPIC_WORDS}`);
  if (!from) return { topic: readTopic(topic) };
  const { epoch, offset } = from;
  // A position that was kept badly: the gateway would refuse the other topics of its frame too.
  if (
    typeof epoch !== 'string' ||
    !OPTIONAL_EPOCH_PATTERN.test(epoch) ||
    typeof offset !== 'number' ||
    !Number.isSafeInteger(offset) ||
    offset < 0
  ) {
    throw new TypeError(
      `${shown(from)} is no position: expected ${OPTIONAL_EPOCH_WORDS}, and an offset from 0`,
    );
  }
  return { topic: readTopic(topic), from: { e: epoch, o: offset } };
}

export function readTopic(topic: unknown): string {
  if (typeof topic === 'string' && TOPIC_PATTERN.test(topic)) return topic;
  throw new TypeError(`${shown(topic)} is not ${TOPIC_WORDS}`);
}

/** The text given, or what the function says now. */
export function readToken(token: ConnectOptions['token']): string | undefined {
  const text: unknown = typeof token === 'function' ? token() : token;
  if (text === undefined || typeof text === 'string') return text;
  throw new TypeError(`token: received ${shown(text)}, expected a text`);
}

export function readCaps(caps: unknown = []): readonly string[] {
  const names = readList('caps', caps, 'a list of names');
  if (names.length > MAX_CAPS) throw new TypeError(`${names.length} caps: expected at most ${MAX_CAPS}`);
  return names.map((cap) => {
    if (typeof cap === 'string' && CAP_PATTERN.test(cap)) return cap;
    throw new TypeError(`${shown(cap)} is not 1 to 64 of A-Z a-z 0-9 . _ -`);
  });
}

export function readRequest(options: ConnectOptions): Partial<LookupRequest> {
  const { pool, zone, labels, prefer, key, size, exclude } = options;
  return {
    ...(pool !== undefined && { pool }),
    ...(zone !== undefined && { zone }),
    ...(labels !== undefined && { labels: readLabels(labels) }),
    ...(prefer !== undefined && { preferred: readPreferred(prefer) }),
    ...(key !== undefined && { key }),
    ...(size !== undefined && { size }),
    ...(exclude !== undefined && { exclude: readExclude(exclude) }),
  };
}

function readLabels(labels: unknown): Record<string, string> {
  const isObject = typeof labels === 'object' && labels !== null && !Array.isArray(labels);
  if (isObject && Object.values(labels).every((value) => typeof value === 'string')) {
    return { ...labels };
  }
  throw new TypeError(`labels: received ${shown(labels)}, expected { key: value }, values texts`);
}

function readExclude(exclude: unknown): string[] {
  const gateways = readList('exclude', exclude, 'a list of gateways');
  const { maxExclude } = LOOKUP_LIMITS;
  if (!gateways.every((gateway) => typeof gateway === 'string')) {
    throw new TypeError(`exclude: received ${shown(exclude)}, expected a list of gateways, each a text`);
  }
  if (gateways.length <= maxExclude) return gateways;
  throw new TypeError(`exclude: received ${gateways.length} gateways, expected at most ${maxExclude}`);
}

function readPreferred(prefer: unknown): PreferredLabel[] {
  return readList('prefer', prefer, 'a list of { key, value, weight }').map((wish) => {
    const { key, value, weight = DEFAULT_PREFERENCE } = (wish ?? {}) as Partial<PreferredLabel>;
    const isWeight = typeof weight === 'number' && weight >= 0 && weight <= 1;
    if (typeof key === 'string' && typeof value === 'string' && isWeight) {
      return { key, value, weight };
    }
    throw new TypeError(`prefer: received ${shown(wish)}, expected { key, value, weight }, weight 0 to 1`);
  });
}

export function readFrame(frame: unknown): object {
  const { op } = (frame ?? {}) as { op?: unknown };
  if (typeof frame === 'object' && frame !== null && typeof op === 'string') return frame;
  throw new TypeError(`send: received ${shown(frame)}, expected an object with an op`);
}

/** The one given, or the runtime's own. */
export function readWebSocket(given: WebSocketConstructor | undefined): WebSocketConstructor {
  const found = given ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  if (found) return found;
  throw new TypeError("this runtime has no WebSocket: pass npm ws's, connect({ webSocket: WebSocket, ... })");
}

export function readTimers(timers: unknown = runtimeTimers): Timers {
  const { setTimeout, clearTimeout, nowMs } = (timers ?? {}) as Record<keyof Timers, unknown>;
  if ([setTimeout, clearTimeout, nowMs].every((one) => typeof one === 'function')) return timers as Timers;
  throw new TypeError(
    `timers: received ${shown(timers)}, expected an object with setTimeout, clearTimeout and nowMs`,
  );
}

function readList(name: string, value: unknown, words: string): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw new TypeError(`${name}: received ${shown(value)}, expected ${words}`);
}
