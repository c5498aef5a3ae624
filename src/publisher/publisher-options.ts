// What a back end tells a publisher at its start, with what cannot be, and asks of it later.

import { isCurveKey, isCurvePair } from '../daemon/curve-keys.ts';
import type { CurveClient } from '../daemon/zeromq-options.ts';
import { ENDPOINT_WORDS, isEndpoint } from '../protocol/broker-address.ts';
import type { Fields } from '../protocol/decode.ts';
import { fieldsOf, shown } from '../protocol/decode.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';
import { unknownOption } from '../protocol/nearest.ts';
import { ID_PATTERN, ID_WORDS } from '../protocol/names.ts';
import { PUBLICATION_LIMITS } from '../protocol/publication.ts';
import type { OutboxLimits } from './core/outbox.ts';
import { DEFAULT_OUTBOX_LIMITS } from './core/outbox.ts';
import type { PublishIdentity } from './identity.ts';

export interface PublisherOptions extends Partial<OutboxLimits> {
  /** Control URLs of Heralds (`http://127.0.0.1:7401`): the brokers are asked of them each second. Or `brokers`. */
  heralds?: readonly string[];
  /** Brokers to start with, or all there are when no Herald is named. */
  brokers?: readonly BrokerAddress[];
  /** Keys for brokers that use CURVE. */
  curve?: CurveClient;
  /** When publish() gives up on a message, ms, at most 2^31 - 1; time in which this process was stopped aside. Default 10,000. */
  giveUpMs?: number;
  /** How its id begins, in traces for example: 1 to 128 of A-Z a-z 0-9 . _ : -, the first a letter or digit. Default: p. */
  publisherId?: string;
  /** One in so many publications is traced through its hops (`GET /v1/traces` of a gateway). 0 = none. */
  traceOneIn?: number;
}

export interface PublishHow {
  /** Traces this publication whatever the sampling says. */
  trace?: boolean;
}

export interface Publisher {
  /** Under which its messages are known, each with a number: what `publisherId` says, and a part of its own. */
  readonly id: string;
  /**
   * Publishes `data` (anything JSON can say) to `topic`. Resolves when a broker has taken it; rejects with a
   * PublishError whose code says why.
   */
  publish(topic: string, data: unknown, how?: PublishHow): Promise<void>;
  /** The same for JSON bytes that are ready, and with a chosen identity. The bytes must not change later. */
  publishJson(topic: string, json: Uint8Array, identity?: PublishIdentity, how?: PublishHow): Promise<void>;
  /** Replaces the static list of brokers. Throws a RangeError, and keeps the old list, for one that cannot be. */
  setBrokers(brokers: readonly BrokerAddress[]): void;
  snapshot(): PublisherSnapshot;
  /** Waits for the acks of what was published or is sent again, at most `giveUpMs`; then disconnects. */
  close(): Promise<void>;
}

export interface PublisherSnapshot {
  /** published = acked + failed + waiting. */
  published: number;
  acked: number;
  failed: number;
  waiting: number;
  /** Sent again because their broker died after the ack; delivered once all the same. */
  resent: number;
  /** Of these, given up because no broker took them for too long: they may be lost. */
  forgotten: number;
  brokers: { id: string; connected: boolean }[];
}

const NAMES: Record<Exclude<keyof PublisherOptions, keyof OutboxLimits>, true> = {
  heralds: true,
  brokers: true,
  curve: true,
  giveUpMs: true,
  publisherId: true,
  traceOneIn: true,
};
const LIMIT_NAMES = Object.keys(DEFAULT_OUTBOX_LIMITS) as (keyof OutboxLimits)[];
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The limits of a publisher with these options. Throws a RangeError that names the option which cannot be. */
export function limitsOf(options: PublisherOptions): OutboxLimits {
  checkObject(options);
  const { publisherId, curve, heralds = [], brokers } = options;
  checkHeralds(heralds);
  const limits = { ...DEFAULT_OUTBOX_LIMITS, ...withoutUndefined(options) };
  for (const name of LIMIT_NAMES) checkNumber(name, limits[name], Number.MAX_SAFE_INTEGER);
  if (options.giveUpMs !== undefined) checkNumber('giveUpMs', options.giveUpMs, MAX_TIMER_MS);
  // An ack after the message was given up is of no use.
  limits.ackTimeoutMs = Math.min(limits.ackTimeoutMs, options.giveUpMs ?? Infinity);
  if (limits.maxQueued + limits.maxRetained > PUBLICATION_LIMITS.maxSequenceSpread) {
    throw new RangeError(
      `maxQueued + maxRetained: ${limits.maxQueued + limits.maxRetained} is more than ${PUBLICATION_LIMITS.maxSequenceSpread}`,
    );
  }
  if (publisherId !== undefined && !(typeof publisherId === 'string' && ID_PATTERN.test(publisherId))) {
    throw new RangeError(`publisherId: ${shown(publisherId)} is not ${ID_WORDS}`);
  }
  if (curve !== undefined) checkCurve(fieldsOf(curve));
  // As of a variable that is not set: every message would wait in vain.
  if (heralds.length === 0 && brokers === undefined) {
    throw new RangeError("heralds: received none, expected a list of Heralds' control URLs, or brokers");
  }
  return limits;
}

function checkObject(options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    throw new RangeError(`createPublisher: received ${shown(options)}, expected { heralds: [URL] }`);
  }
  const unknown = unknownOption('createPublisher', options, [...Object.keys(NAMES), ...LIMIT_NAMES]);
  if (unknown !== undefined) throw new RangeError(unknown);
}

function checkHeralds(heralds: unknown): void {
  const isUrl = (url: unknown): boolean =>
    typeof url === 'string' && /^https?:/.test(url) && URL.canParse(url);
  if (Array.isArray(heralds) && heralds.every(isUrl)) return;
  throw new RangeError(
    `heralds: received ${shown(heralds)}, expected a list of Heralds' control URLs, http:// or https://`,
  );
}

function checkCurve({ serverKey, publicKey, secretKey }: Fields): void {
  const areTexts = [serverKey, publicKey, secretKey].every((key) => typeof key === 'string');
  if (areTexts && isCurveKey(serverKey as string) && isCurvePair(publicKey as string, secretKey as string))
    return;
  throw new RangeError(
    "curve: expected the brokers' key and a pair of one's own, as `herald keys` prints them",
  );
}

/** Throws a RangeError that names the first broker to which no socket can connect. */
export function checkBrokers(brokers: readonly BrokerAddress[]): void {
  if (!Array.isArray(brokers)) {
    throw new RangeError(`brokers: received ${shown(brokers)}, expected a list of { id, publish }`);
  }
  for (const { id, publish } of brokers.map(fieldsOf)) {
    if (typeof publish === 'string' && isEndpoint(publish)) continue;
    const name = typeof id === 'string' ? id : shown(id);
    throw new RangeError(`brokers: ${name} is at ${shown(publish)}, expected ${ENDPOINT_WORDS}`);
  }
}

/** NaN would compare with nothing, and so limit nothing. */
function checkNumber(name: string, value: unknown, most: number): void {
  if (typeof value === 'number' && value >= 0 && value <= most) return;
  throw new RangeError(`${name}: ${String(value)} is not a number from 0 to ${most}`);
}

/** Options given as undefined must not hide a default. */
function withoutUndefined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
