// The bots of `herald up`: clients that really look up, connect, subscribe and leave again, and publishers
// that really publish through the brokers. They use the SDKs as any program would.

import type { Command } from 'commander';
import { WebSocket } from 'ws';
import { connect } from '../../client/index.ts';
import { every } from '../../daemon/clock.ts';
import { runUntilSignalled } from '../../daemon/lifecycle.ts';
import type { Log, LogFields } from '../../daemon/log.ts';
import { createLog, errorFields } from '../../daemon/log.ts';
import type { Publisher } from '../../publisher/index.ts';
import { createPublisher } from '../../publisher/index.ts';
import { tellParent } from '../parent.ts';

const BOT_TOPICS = ['news', 'weather', 'chat.1', 'chat.2', 'chat.3', 'scores', 'prices.eu', 'prices.us'];
const PUBLISH_EVERY_MS = 100;
/** Mean life of a bot's connection: short enough that the table shows new assignments within seconds. */
const MEAN_LIFE_MS = 20_000;
const START_SPREAD_MS = 3_000;

interface BotFlags {
  url: string;
  control: string;
  bots: string;
}

export function addBotsCommand(program: Command): void {
  program
    .command('bots', { hidden: true })
    .requiredOption('--url <url>')
    .requiredOption('--control <url>')
    .requiredOption('--bots <number>')
    .action(async (flags: BotFlags) => {
      const log = createLog('bots', 'warn');
      await runUntilSignalled(async () => {
        const stopClients = startClients(flags.url, Number(flags.bots));
        const publisher = await createPublisher({ heralds: [flags.control], giveUpMs: 2_000 });
        const stopPublishing = startPublishing(publisher, log);
        tellParent({ says: 'ready', addresses: {} });
        return {
          async close() {
            stopPublishing();
            stopClients();
            await publisher.close();
          },
        };
      }, log);
    });
}

/** Publishes to every topic ten times a second; says once when that stops working and once when it works. */
function startPublishing(publisher: Publisher, log: Log): () => void {
  const startedMs = performance.now();
  let working = true;
  const note = (works: boolean, fields?: LogFields): void => {
    if (works !== working) log.warn(works ? 'publishing-again' : 'not-published', fields);
    working = works;
  };
  return every(PUBLISH_EVERY_MS, () => {
    const atMs = Math.round(performance.now() - startedMs);
    for (const topic of BOT_TOPICS) {
      publisher.publish(topic, { topic, atMs, text: 'hello from a bot' }).then(
        () => note(true),
        (error: unknown) => note(false, errorFields(error)),
      );
    }
  });
}

/** Keeps `count` clients alive; each leaves after a random life and comes back through a fresh lookup. */
function startClients(herald: string, count: number): () => void {
  const timers = new Map<number, NodeJS.Timeout>();
  const clients = new Map<number, ReturnType<typeof connect>>();
  const later = (slot: number, meanMs: number, run: () => void): void => {
    timers.set(slot, setTimeout(run, -Math.log(1 - Math.random()) * meanMs));
  };
  const arrive = (slot: number): void => {
    const topics = BOT_TOPICS.filter(() => Math.random() < 0.4);
    clients.set(
      slot,
      connect({ herald: [herald], topics: topics.length > 0 ? topics : ['news'], webSocket: WebSocket }),
    );
    later(slot, MEAN_LIFE_MS, () => {
      clients.get(slot)?.close();
      clients.delete(slot);
      later(slot, 500, () => arrive(slot));
    });
  };
  for (let slot = 0; slot < count; slot++) {
    timers.set(
      slot,
      setTimeout(() => arrive(slot), Math.random() * START_SPREAD_MS),
    );
  }
  return () => {
    for (const timer of timers.values()) clearTimeout(timer);
    for (const client of clients.values()) client.close();
  };
}
