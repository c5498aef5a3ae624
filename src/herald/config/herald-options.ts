// Every option of `herald serve`, as data: file key, `HERALD_*`, flag and help come from this one list.

import type { Config } from '../../daemon/config.ts';
import { choice, flag, integer, list, number, origins, secret, text } from '../../daemon/config.ts';
import { clusterOptions, commonOptions } from '../../daemon/options.ts';
import { tlsOptions } from '../../daemon/tls.ts';
import { MOVER_MODES, POLICY_NAMES } from '../core/balancer-types.ts';

const listenOptions = {
  id: text('', 'name of this Herald, unique in the cluster and the same after a restart; empty = host-port'),
  publicListen: text('127.0.0.1:7400', 'lookups of clients; the one port made to face the world'),
  controlListen: text('127.0.0.1:7401', 'reports of gateways; beyond loopback it needs `secret`'),
  agentListen: text('127.0.0.1:7402', "HAProxy's agent-check; beyond loopback it needs `agentAllow`"),
  adminListen: text('127.0.0.1:7403', 'operators, metrics, the page; beyond loopback it needs `adminToken`'),
  controlUrl: text(
    '',
    "URL gateways reach controlListen at; empty = its address, or this machine's name on every interface",
  ),
  adminToken: secret('bearer token of operators, at least 16 characters'),
  adminHosts: {
    ...list([], 'further Host names the admin port answers to without a token (DNS rebinding guard)'),
    items: {
      fit: (item: string) => /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/.test(item),
      words: 'host names in lower case, without a port',
    },
  },
  agentAllow: list(
    [],
    'addresses that may ask agent-check, for example 10.0.0.7 or 10.0.0.0/24; loopback may',
  ),
  agentAddress: text(
    '',
    'host:port HAProxy reaches agentListen at, for the configuration that Herald writes; empty = its address',
  ),
  agentPorts: list([], 'port=gateway, for a HAProxy that sends no agent-send line, for example 7501=gw-1'),
  agentServers: list([], 'backend/server=gateway, where the HAProxy server is not named like the gateway'),
  agentFarewellMs: integer(
    2_500,
    0,
    60_000,
    'how long a Herald that stops still tells HAProxy to keep its servers; longer than agent-inter',
  ),
  helpshift: list(
    [],
    'configuration files of helpshift/herald, read as they are: each opens the agent-check port it names',
  ),
  corsOrigins: origins(['*'], 'origins of pages that may look up; * = any, since a lookup tells no secret'),
  trustProxy: flag(false, 'take client addresses from X-Forwarded-For; only behind a proxy of your own'),
  maxPublicConnections: integer(10_000, 10, 1_000_000, 'open sockets on publicListen; above, new ones close'),
} as const;

const tableOptions = {
  store: choice(
    ['auto', 'memory', 'zookeeper'],
    'auto',
    'where the table is shared; auto = zookeeper when an address is given',
  ),
  snapshotFile: text('', 'file the table is saved to each second, so that a lone restart still answers'),
  periodMs: integer(500, 50, 60_000, 'how often gateways are asked to report'),
  staleAfterMs: integer(2_000, 100, 600_000, 'age of a report above which its gateway is not named'),
  expireAfterMs: integer(30_000, 1_000, 86_400_000, 'age of a report above which its gateway is forgotten'),
  maxGateways: integer(100_000, 1, 1_000_000, 'rows of the table; a report beyond is refused'),
  allowedUrls: {
    ...list(
      ['*'],
      'gateway URLs that may be handed out; * stands for any characters but /, at the end of a host for no domain',
    ),
    items: { fit: (item: string) => item === '*' || /^wss?:\/\//.test(item), words: 'ws:// or wss:// URLs' },
  },
  recordFile: text('', 'file that reports and lookups are recorded to, for `herald sim --replay`'),
  recordMaxBytes: integer(100_000_000, 1_000, 1e12, 'size at which recording stops'),
} as const;

const policyOptions = {
  policy: choice(POLICY_NAMES, 'expected', 'how a gateway is chosen; docs/policy.md compares them'),
  poolPolicies: list([], 'pool=policy, for pools that differ from `policy`'),
  draws: integer(8, 1, 64, 'gateways looked at per lookup; nobody gets over this many times its fair share'),
  admitScore: number(0.9, 0.1, 1_000, 'expected load of the best gateway above which a lookup gets a 503'),
  admitReturningScore: number(0.95, 0.1, 1_000, 'the same for clients that resume or were told to move'),
  handshakeSeconds: number(0.002, 0, 10, 'CPU seconds one connect costs a gateway of capacity 1'),
  zoneSpill: number(0.1, 0, 1_000, 'how much better elsewhere must be for a lookup to leave its zone'),
  affinityBound: number(1.25, 1, 1_000, 'load over the mean at which a keyed lookup leaves its owner'),
  shareCap: number(
    0,
    0,
    1_000,
    "most of a second's lookups over a gateway's fair share; 0 = draws bounds it",
  ),
  lookupsPerSec: number(0, 0, 1e9, 'lookups a second per pool; 0 = no limit'),
  lookupBurst: number(0, 0, 1e9, 'lookups at once above that rate; 0 = one second of it'),
  mover: choice(MOVER_MODES, 'on', 'ordering overloaded gateways to hand over connections'),
  sizeTarget: number(0.7, 0.05, 10, 'load per capacity that the advice on fleet size aims at'),
  sizeTargetAfterLoss: number(0.85, 0.05, 10, 'the same after the loss of one gateway'),
  limitCpu: number(1, 0, 1_000, 'CPU of quota that counts as full; 0 leaves a signal out'),
  limitEventLoop: number(1, 0, 1_000, 'event-loop utilisation that counts as full'),
  limitLoopDelayP99Ms: number(250, 0, 3_600_000, 'event-loop delay (p99) that counts as full'),
  limitMemory: number(0.9, 0, 1_000, 'share of the memory limit that counts as full'),
  limitDescriptors: number(0.95, 0, 1_000, 'share of the file descriptors that counts as full'),
  limitMessagesPerSec: number(0, 0, 1e12, 'messages a second and unit of capacity that count as full'),
  limitBytesPerSec: number(0, 0, 1e15, 'bytes a second and unit of capacity that count as full'),
  limitBufferedBytes: number(268_435_456, 0, 1e15, 'unsent bytes a unit of capacity that count as full'),
  limitDeliveryLagMs: number(2_000, 0, 86_400_000, 'publish-to-write time that counts as full'),
} as const;

export const heraldOptions = {
  ...commonOptions,
  ...clusterOptions,
  ...listenOptions,
  ...tlsOptions,
  ...tableOptions,
  ...policyOptions,
} as const;

export type HeraldConfig = Config<typeof heraldOptions>;
