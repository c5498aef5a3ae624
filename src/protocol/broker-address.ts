// (7) What a broker says of itself, to Herald over HTTP and in the cluster's folder of brokers, and the list of
// them that gateways and publishers get.

import type { Decoded, Fields } from './decode.ts';
import { decoding, optionalChoice, optionalNumber, readFields, refuse, requiredText } from './decode.ts';
import {
  BASE_URL_PATTERN,
  BASE_URL_WORDS,
  EPOCH_PATTERN,
  EPOCH_WORDS,
  ID_PATTERN,
  ID_WORDS,
} from './names.ts';

export interface BrokerAddress {
  id: string;
  /** ZeroMQ endpoint publishers connect to (DEALER). */
  publish: string;
  /** ZeroMQ endpoint gateways subscribe at (SUB). */
  subscribe: string;
  /** ZeroMQ endpoint for repair of missed envelopes (DEALER). */
  repair: string;
  /** Base URL of HTTP publish. */
  http: string;
  epoch: string;
  state: 'up' | 'draining';
  /** In a list: how long ago it announced itself to the Herald that gave it; absent where that does not know. */
  silentMs?: number;
}

/** A ZeroMQ socket throws where a host begins with anything else. */
const ENDPOINT = /^tcp:\/\/(?:[A-Za-z0-9][A-Za-z0-9._-]{0,254}|\[[0-9A-Fa-f:.]{2,45}\]):(\d{1,5})$/;
export const ENDPOINT_WORDS = 'a tcp://host:port endpoint';
/** Four times what a Herald keeps: a later version may keep more. */
const MAX_LISTED = 256;

/** Decodes an announcement. `http` may be empty: a broker need not take HTTP. */
export function decodeBrokerAddress(value: unknown): Decoded<BrokerAddress> {
  return decoding(() => {
    const from = readFields(value, 'broker');
    return { ...readPlace(from), state: optionalChoice(from, 'state', ['up', 'draining'] as const) ?? 'up' };
  });
}

/** Decodes the list of brokers in a feedback reply and in the answer of `GET /v1/brokers`. */
export function decodeBrokerList(value: unknown): Decoded<BrokerAddress[]> {
  return decoding(() => readBrokerList(value));
}

/**
 * Only to be called inside `decoding`. A later Herald may name brokers of a later kind: one that cannot be reached as
 * this version reaches them is left out, one in a state that it does not know is sent no new work.
 */
export function readBrokerList(value: unknown): BrokerAddress[] {
  if (!Array.isArray(value) || value.length > MAX_LISTED) {
    return refuse('brokers', value, `an array of at most ${MAX_LISTED} brokers`);
  }
  return value.flatMap((item: unknown, index) => {
    const from = readFields(item, `brokers[${index}]`);
    const place = decoding(() => readListed(from));
    return place.ok ? [place.value] : [];
  });
}

function readListed(from: Fields): BrokerAddress {
  const silentMs = optionalNumber(from, 'silentMs', 0, Number.MAX_SAFE_INTEGER);
  return {
    ...readPlace(from),
    state: from['state'] === 'up' ? 'up' : 'draining',
    ...(silentMs !== undefined && { silentMs }),
  };
}

function readPlace(from: Fields): Omit<BrokerAddress, 'state' | 'silentMs'> {
  return {
    id: requiredText(from, 'id', ID_PATTERN, ID_WORDS),
    publish: endpoint(from, 'publish'),
    subscribe: endpoint(from, 'subscribe'),
    repair: endpoint(from, 'repair'),
    http: requiredText(from, 'http', BASE_URL_PATTERN, BASE_URL_WORDS),
    epoch: requiredText(from, 'epoch', EPOCH_PATTERN, EPOCH_WORDS),
  };
}

function endpoint(from: Fields, field: string): string {
  const text = from[field];
  return typeof text === 'string' && isEndpoint(text) ? text : refuse(field, text, ENDPOINT_WORDS);
}

/** Whether a ZeroMQ socket may be told to connect there; it throws where it may not. */
export function isEndpoint(text: string): boolean {
  const port = Number(ENDPOINT.exec(text)?.[1]);
  return port >= 1 && port <= 65_535;
}
