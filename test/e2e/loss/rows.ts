// The faults, each made on a running field under numbered traffic. `nothing` = not one acked message lost and
// none delivered twice; `counted` = at most one second of traffic lost, and every lost message in a gap; `told` =
// more is lost, because the row takes away what would have saved it, and every message of it is in a gap.

import { launchZookeeper } from '../../launch/zookeeper.ts';
import { pause } from '../../launch/until.ts';
import type { Daemon, Field } from './field.ts';

export interface Row {
  promise: 'nothing' | 'counted' | 'told';
  what: string;
  needs?: 'zookeeper';
  /** How often the fault is made: in CI, where 0 = other tests have it, and in full. */
  times: [short: number, full: number];
  ratePerSec: number;
  /** Not slowed down in CI: at a third of it the buffers of sockets hold all that should be lost. */
  keepsRate?: boolean;
  /** Traffic is running. */
  fault(field: Field, time: number): Promise<void>;
  brokerFlags?: Record<string, string | number>;
  /** 3 where it is not said. */
  brokers?: number;
  /** What is published again for a broker that froze may come twice to who was at a gateway that died. */
  mayRepeat?: boolean;
  /** Instead of the SDK's publisher. */
  httpPublish?: boolean;
}

/** Enough that the traffic is in its stride, and never the same phase of a heartbeat. */
const stride = (): Promise<void> => pause(400 + Math.random() * 700);

/** The broker that a row makes its fault on: a different one each time. */
const turn = (daemons: readonly Daemon[], time: number): Daemon => daemons[time % daemons.length]!;

/** Longer than Herald and the gateways take to believe that it is gone. */
const BROKER_DOWN_MS = 4_000;

/** A broker goes in the middle of traffic, by kill -9 or by SIGTERM, and comes back after `ms`. */
function brokerGone(how: 'kill' | 'stop', ms: number): Row['fault'] {
  return async (field, time) => {
    const victim = turn(field.brokers, time);
    await stride();
    await victim.process[how]();
    await pause(ms);
    await victim.restart();
    await field.allHeard();
  };
}

function allBrokersGone(how: 'kill' | 'stop', ms: number): Row['fault'] {
  return async (field) => {
    await stride();
    await Promise.all(field.brokers.map(({ process }) => process[how]()));
    await pause(ms);
    await Promise.all(field.brokers.map((broker) => broker.restart()));
    await field.allHeard();
  };
}

function brokerFrozen(ms: number): Row['fault'] {
  return async (field, time) => {
    await stride();
    await frozen(turn(field.brokers, time), ms);
    await field.allHeard();
  };
}

async function frozen(daemon: Daemon, ms: number): Promise<void> {
  daemon.process.signal('SIGSTOP');
  await pause(ms);
  daemon.process.signal('SIGCONT');
}

/** kill -9 of a broker just before a gateway thaws that was frozen for `ms`. */
async function killWhileFrozen(field: Field, time: number, ms: number): Promise<void> {
  const [gateway, broker] = [turn(field.gateways, time), turn(field.brokers, time)];
  await stride();
  gateway.process.signal('SIGSTOP');
  await pause(ms);
  await broker.process.kill();
  gateway.process.signal('SIGCONT');
  await pause(BROKER_DOWN_MS);
  await broker.restart();
  await field.allHeard();
  await field.allLive();
}

export const ROWS: Record<string, Row> = {
  'gateway-kill': {
    promise: 'nothing',
    what: 'kill -9 of a gateway; its clients resume at others',
    times: [3, 100],
    ratePerSec: 3_000,
    async fault(field, time) {
      const victim = turn(field.gateways, time);
      await victim.process.kill();
      const back = victim.restart();
      await field.allLive();
      await back;
      await pause(200);
    },
  },
  'gateway-drain': {
    promise: 'nothing',
    what: 'SIGTERM to a gateway; its clients are moved',
    times: [1, 8],
    ratePerSec: 3_000,
    async fault(field, time) {
      const victim = turn(field.gateways, time);
      await victim.process.stop();
      await field.allLive([victim.name]);
      await victim.restart();
    },
  },
  'broker-kill': {
    promise: 'counted',
    what: 'kill -9 of a broker',
    times: [1, 9],
    ratePerSec: 5_000,
    fault: brokerGone('kill', BROKER_DOWN_MS),
  },
  'broker-kill-http': {
    promise: 'counted',
    what: 'kill -9 of the broker that HTTP publishers use, with what it held for them',
    times: [1, 9],
    ratePerSec: 1_000,
    httpPublish: true,
    fault: brokerGone('kill', BROKER_DOWN_MS),
  },
  'only-broker-kill': {
    promise: 'nothing',
    what: 'kill -9 of the only broker, back after 3 s: publishers send again what it had acked',
    times: [1, 6],
    ratePerSec: 5_000,
    brokers: 1,
    fault: brokerGone('kill', 3_000),
  },
  'all-brokers-kill': {
    promise: 'nothing',
    what: 'kill -9 of all brokers together, back after 12 s: longer than any of them is waited for',
    times: [0, 3],
    ratePerSec: 1_000,
    fault: allBrokersGone('kill', 12_000),
  },
  'broker-drain': {
    promise: 'nothing',
    what: 'SIGTERM to a broker; the others take over; it comes back',
    times: [1, 9],
    ratePerSec: 3_000,
    fault: brokerGone('stop', 2_000),
  },
  'broker-restart': {
    promise: 'nothing',
    what: 'every broker restarted at once, none to take over',
    times: [0, 4],
    ratePerSec: 1_000,
    fault: allBrokersGone('stop', 0),
  },
  'broker-frozen': {
    promise: 'nothing',
    what: 'SIGSTOP of a broker for 4 s',
    times: [0, 4],
    ratePerSec: 3_000,
    fault: brokerFrozen(4_000),
  },
  'broker-frozen-long': {
    promise: 'nothing',
    what: 'SIGSTOP of a broker for 12 s: it was in no list any more, and comes back in the same life',
    times: [1, 3],
    // At 8,000 a second a publisher sends more than gateways remember of it while the broker sleeps, and once in a while a
    // batch comes twice (docs/broker.md).
    ratePerSec: 3_000,
    fault: brokerFrozen(12_000),
  },
  'gateway-frozen': {
    promise: 'nothing',
    what: 'SIGSTOP of a gateway for 4 s',
    times: [0, 4],
    ratePerSec: 3_000,
    async fault(field, time) {
      const victim = turn(field.gateways, time);
      await frozen(victim, 4_000);
      await field.allHeard();
      await field.allLive();
    },
  },
  'gateway-kill-broker-frozen': {
    promise: 'nothing',
    what: 'kill -9 of a gateway at any moment of a broker frozen for 4 s, whose topics go to another and come back',
    times: [1, 20],
    ratePerSec: 3_000,
    mayRepeat: true,
    async fault(field, time) {
      const [gateway, broker] = [turn(field.gateways, time), turn(field.brokers, time)];
      await stride();
      const thawed = frozen(broker, 4_000);
      await pause(Math.random() * 4_000);
      await gateway.process.kill();
      await thawed;
      await gateway.restart();
      await field.allHeard();
      await field.allLive();
    },
  },
  'broker-kill-gateway-frozen': {
    promise: 'counted',
    what: 'kill -9 of a broker while a gateway is frozen for 4 s: it missed more than publishers keep',
    times: [0, 6],
    ratePerSec: 3_000,
    fault: (field, time) => killWhileFrozen(field, time, 4_000),
  },
  'loss-counted': {
    promise: 'told',
    what: 'the same for 10 s with brokers that keep 3 s of each other: the rest is lost, and must be counted',
    times: [1, 3],
    ratePerSec: 3_000,
    keepsRate: true,
    brokerFlags: { 'standby-seconds': 3 },
    fault: (field, time) => killWhileFrozen(field, time, 10_000),
  },
  'zookeeper-loss': {
    promise: 'nothing',
    what: 'ZooKeeper frozen for 6 s, longer than a session, then killed and started again',
    needs: 'zookeeper',
    times: [1, 3],
    ratePerSec: 3_000,
    async fault() {
      await zookeeper!.freezeFor(6_000);
      await zookeeper!.restart();
      await pause(1_000);
    },
  },
};

/** The server of the row that needs one; the rows own it one at a time. */
let zookeeper: { freezeFor(ms: number): Promise<void>; restart(): Promise<void> } | undefined;

export async function withZookeeper<T>(run: (address: string) => Promise<T>): Promise<T> {
  const server = await launchZookeeper();
  zookeeper = {
    async freezeFor(ms) {
      server.freeze();
      await pause(ms);
      server.thaw();
    },
    async restart() {
      await server.kill();
      await pause(1_000);
      await server.start();
    },
  };
  try {
    return await run(server.address);
  } finally {
    zookeeper = undefined;
    await server.remove();
  }
}
