// Clients of a gateway that is killed or frozen in the middle of its work, as a process of its own: they are back
// elsewhere within seconds, spread over them, with everything that was acked.

import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Client, ClientState } from '../../../src/client/index.ts';
import { connect } from '../../../src/client/index.ts';
import type { HeraldProcess } from '../../launch/herald-process.ts';
import { ANY_PORT, startHeraldProcess } from '../../launch/herald-process.ts';
import type { SmallFleet } from '../../launch/small-fleet.ts';
import { launchSmallFleet } from '../../launch/small-fleet.ts';
import { until } from '../../launch/until.ts';

const CLIENTS = 60;
const VICTIM = 'victim';

interface Watched {
  client: Client;
  numbers: number[];
  gaps: unknown[];
  /** Each time it became live: where, and when. */
  lives: { gateway: string; atMs: number }[];
}

let fleet: SmallFleet;
let victim: HeraldProcess;
let crowd: Watched[] = [];
let published = 0;
let lookups = 0;

beforeEach(async () => {
  published = 0;
  lookups = 0;
  // The victim has the crowd for itself at first; where they can go comes later.
  fleet = await launchSmallFleet(0);
  victim = await startHeraldProcess('gateway', {
    id: VICTIM,
    listen: ANY_PORT,
    heralds: fleet.herald.addresses.control,
    'ping-ms': 1_000,
  });
  crowd = Array.from({ length: CLIENTS }, watch);
  await until('all live', () => crowd.every(({ client }) => client.state.name === 'live'), 45_000);
  await fleet.addGateway({ pingMs: 1_000 });
});
afterEach(async () => {
  for (const { client } of crowd) client.close();
  victim.signal('SIGCONT');
  await victim.stop();
  await fleet.close();
});

function watch(): Watched {
  const client = connect({
    herald: fleet.url,
    topics: ['numbers'],
    webSocket: WebSocket,
    fetch: (url, init) => {
      lookups += 1;
      return fetch(url, init);
    },
  });
  const watched: Watched = { client, numbers: [], gaps: [], lives: [] };
  client.on('message', ({ data }) => watched.numbers.push(data as number));
  client.on('gap', (gap) => watched.gaps.push(gap));
  client.on('state', (state: ClientState) => {
    if (state.name === 'live') watched.lives.push({ gateway: state.gateway, atMs: performance.now() });
  });
  return watched;
}

async function publish(count: number): Promise<void> {
  for (const end = published + count; published < end; published++) {
    await fleet.publisher.publish('numbers', published);
  }
}

const elsewhere = ({ client }: Watched): boolean =>
  client.state.name === 'live' && client.state.gateway !== VICTIM;

async function allThere(): Promise<void> {
  await until(`all of ${published}`, () => crowd.every(({ numbers }) => numbers.length >= published), 30_000);
  for (const { numbers, gaps } of crowd) {
    expect(numbers).toEqual(Array.from({ length: published }, (_, n) => n));
    expect(gaps).toEqual([]);
  }
}

it('come back from a kill -9 within seconds and not all at once, with nothing lost', async () => {
  await publish(50);
  await until('messages', () => crowd.every(({ numbers }) => numbers.length >= 50));
  const asked = lookups;
  const killedMs = performance.now();
  await victim.kill();
  await publish(100);
  await until('all elsewhere', () => crowd.every(elsewhere), 45_000);
  const backMs = crowd.map(({ lives }) => lives.at(-1)!.atMs - killedMs).sort((a, b) => a - b);
  // The spread of the first lookup is one second; the rest is this machine.
  expect(backMs[CLIENTS / 2]!).toBeLessThan(5_000);
  expect(backMs.at(-1)!).toBeLessThan(20_000);
  expect(backMs.at(-1)! - backMs[0]!).toBeGreaterThan(300);
  expect(lookups - asked).toBeLessThan(5 * CLIENTS);
  await allThere();
});

it('leave a gateway that is frozen once its pings stay away, with nothing lost', async () => {
  await publish(20);
  await until('messages', () => crowd.every(({ numbers }) => numbers.length >= 20));
  victim.signal('SIGSTOP');
  await publish(50);
  // 2.5 ping periods of silence, then as after a kill.
  await until('all elsewhere', () => crowd.every(elsewhere), 45_000);
  await allThere();
  // It wakes up to clients that have long gone, and repeats nothing to anybody.
  victim.signal('SIGCONT');
  await publish(20);
  await allThere();
});
