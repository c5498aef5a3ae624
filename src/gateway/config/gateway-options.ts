// Every option of `herald gateway`, as data: file key, `HERALD_*`, flag and help come from this one list.

import type { Config } from '../../daemon/config.ts';
import { choice, integer, list, number, origins, secret, text, urls } from '../../daemon/config.ts';
import {
  brokerReachOptions,
  commonOptions,
  heraldsOption,
  previousSecretOption,
} from '../../daemon/options.ts';
import { tlsOptions } from '../../daemon/tls.ts';
import { CLIENT_LIMITS } from '../../protocol/client-frames.ts';
import { DEFAULT_RAMP_MS, LONGEST_RAMP_MS } from '../../protocol/young-connections.ts';

const placeOptions = {
  id: text('', 'name of this gateway, unique in the fleet; empty = host-port'),
  listen: text('127.0.0.1:7410', 'WebSocket on /ws and health over HTTP, one port'),
  url: text(
    '',
    'ws:// or wss:// URL that clients shall open; empty = made from the address, for one machine',
  ),
  heralds: heraldsOption,
  lookupUrls: urls([], 'public URLs of Heralds, told to clients so that they find their way back'),
  pool: text('default', 'pool this gateway serves'),
  zone: text('', 'zone it stands in; empty = none'),
  labels: list([], 'key=value labels that a lookup may ask for'),
  capacity: number(1, 0.001, 100_000, 'relative size; 1 = one reference core'),
  rampMs: integer(
    DEFAULT_RAMP_MS,
    0,
    LONGEST_RAMP_MS,
    'time in which a new connection grows to its full load; 0 = it costs that at once',
  ),
} as const;

const doorOptions = {
  maxConnections: integer(
    15_000,
    1,
    10_000_000,
    'open sockets, as far as descriptors allow; more are refused with 503',
  ),
  origins: origins(['*'], 'pages that may connect, for example https://app.example.com; * = any'),
  tickets: choice(
    ['soft', 'required'],
    'soft',
    'soft: a client without a good ticket is let in; required: it is closed with 4203',
  ),
  previousSecret: previousSecretOption,
  adminToken: secret(
    'bearer token for /v1/closes, /v1/ledger and /v1/traces, at least 16 characters off loopback; without one they answer this machine, if `url` leads to it',
  ),
  maxFrameBytes: integer(CLIENT_LIMITS.maxFrameBytes, 1_024, 16_777_216, 'longest message from a client'),
  maxTopics: integer(CLIENT_LIMITS.maxTopics, 1, 10_000, 'topics a client may be subscribed to'),
  maxGatewayTopics: integer(
    250_000,
    1_000,
    100_000_000,
    'topics of all clients together, some 2 KB of memory each; new ones are then refused for a while',
  ),
  messagesPerSec: number(CLIENT_LIMITS.messagesPerSec, 1, 100_000, 'frames a second from one client'),
  newTopicsPerSec: number(
    CLIENT_LIMITS.newTopicsPerSec,
    1,
    100_000,
    'topics a second that one client may newly subscribe to or resume, after maxTopics at once',
  ),
  helloTimeoutMs: integer(CLIENT_LIMITS.helloTimeoutMs, 100, 120_000, 'time to say hello after the upgrade'),
  pingMs: integer(CLIENT_LIMITS.pingMs, 100, 3_600_000, 'time between pings; two unanswered ones end it'),
  publishTopics: list([], 'topic prefixes clients may publish to; empty = none, * = all'),
} as const;

const fanOutOptions = {
  flushShare: number(0.7, 0.05, 0.95, 'share of a core that writing may take before messages are collected'),
  maxWaitMs: integer(100, 0, 10_000, 'longest time a message waits to be collected with others'),
  topicMaxWaitMs: list([], 'prefix=ms, for topics that may wait shorter or longer than maxWaitMs'),
  deflate: choice(
    ['auto', 'off'],
    'auto',
    'permessage-deflate for clients that offer it; auto = not under load',
  ),
  deflateLevel: integer(1, 1, 9, 'zlib level; above 3 the CPU costs more than the bytes'),
  deflateFromBytes: integer(512, 64, 1_048_576, 'smallest message worth compressing'),
  softBufferBytes: integer(262_144, 16_384, 1e9, 'unsent bytes at which a client counts as slow'),
  hardBufferBytes: integer(1_048_576, 16_384, 1e9, 'unsent bytes at which it is closed at once'),
  softBufferMs: integer(10_000, 100, 600_000, 'how long a client may stay slow'),
} as const;

const resumeOptions = {
  resumeMessages: integer(
    300,
    0,
    100_000,
    'messages a client may have missed and still resume; above 1,024 only of what its gateway itself saw',
  ),
  resumeBytes: integer(1_048_576, 0, 1e9, 'bytes of them'),
  resumeMs: integer(120_000, 0, 86_400_000, 'age of the oldest message kept for resuming'),
  historyBytes: integer(134_217_728, 0, 1e12, 'memory for the histories of all topics together'),
  topicLingerMs: integer(
    30_000,
    0,
    86_400_000,
    'how long a topic without subscribers is kept up to date; shorter above 50,000 such',
  ),
  lastValueTopics: list([], 'topic prefixes whose newest message is sent on subscribe'),
  shutdownSpreadMs: integer(2_000, 0, 60_000, 'time over which clients are asked to leave at a stop'),
} as const;

const testOptions = {
  virtualCapacity: number(0, 0, 1_000, 'test aid: report a computed load as if of this size; 0 = measure'),
  virtualTokensPerSec: number(1_000, 1, 1e9, 'test aid: tokens a second at virtual capacity 1'),
  virtualMessageTokens: number(1, 0, 1e6, 'test aid: tokens a delivered message costs'),
  virtualAcceptTokens: number(2, 0, 1e6, 'test aid: tokens an accepted connection costs'),
} as const;

export const gatewayOptions = {
  ...commonOptions,
  ...placeOptions,
  ...brokerReachOptions,
  ...doorOptions,
  ...tlsOptions,
  ...fanOutOptions,
  ...resumeOptions,
  ...testOptions,
} as const;

export type GatewayConfig = Config<typeof gatewayOptions>;
