// `herald publish` and `herald subscribe`: real publish and subscribe from a shell, over the same roads as
// back ends and clients.

import type { Command } from 'commander';
import { Option as Flag } from 'commander';
import { WebSocket } from 'ws';
import { connect } from '../../client/index.ts';
import { StartError } from '../../daemon/lifecycle.ts';
import { codeOf, messageOf } from '../../daemon/thrown.ts';
import { TOPIC_PATTERN, TOPIC_WORDS } from '../../protocol/names.ts';
import { traceKey } from '../../protocol/publication-trace.ts';
import type { AdminFlags } from '../flags/herald-flags.ts';
import { adminFlags, adminTarget, publicUrlFlag } from '../flags/herald-flags.ts';
import { brokerReachFlags, brokerReachOf } from '../flags/broker-reach-flags.ts';
import { heraldUrls, wholeNumber } from '../flags/given.ts';
import { collectTraces, renderTraces } from './publish-trace.ts';

export const CONTROL_URL = 'http://127.0.0.1:7401';
const MAX_COUNT = 1_000_000_000;
/** Long enough for a broker that restarts. */
const GIVE_UP_MS = 5_000;
const AFTER_DASHES = 'Data that begins with - comes last, after --: herald publish news -- "-5 degrees"\n';

export function addPubSubCommands(program: Command): void {
  const publishing = program
    .command('publish <topic> <data>')
    .description('publish one message: JSON, or any text as a JSON string')
    .addOption(
      new Flag('--heralds <urls>', 'control URLs of Heralds, to find the brokers')
        .env('HERALD_HERALDS')
        .default(CONTROL_URL),
    )
    .option('--count <number>', 'publish it so many times', '1')
    .configureOutput({
      outputError: (text, write) => write(text.includes('unknown option') ? `${text}${AFTER_DASHES}` : text),
    })
    .option('--trace', 'print how long the last one took from hop to hop, asked of every gateway')
    .action(publish);
  brokerReachFlags(adminFlags(publishing));

  program
    .command('subscribe <topic...>')
    .description('print the messages of topics, one JSON object a line')
    .addOption(publicUrlFlag('public URLs of Heralds, with commas', '--heralds, --url <urls>'))
    .addOption(new Flag('--auth-token <token>', 'token for the gateway').env('HERALD_TOKEN'))
    .option('--count <number>', 'end after so many messages')
    .action(subscribe);
}

async function publish(
  topic: string,
  data: string,
  flags: { heralds: string; count: string; trace?: boolean } & AdminFlags & Record<string, unknown>,
): Promise<void> {
  checkTopic(topic);
  const count = wholeNumber('--count', flags.count, 1, MAX_COUNT);
  const heralds = heraldUrls('--heralds', flags.heralds);
  const { createPublisher } = await import('../../publisher/index.ts');
  const reach = brokerReachOf(flags);
  const publisher = await createPublisher({ heralds, giveUpMs: GIVE_UP_MS, ...reach });
  try {
    const json = new TextEncoder().encode(jsonOf(data));
    for (let sequence = 0; sequence < count; sequence++) {
      const trace = flags.trace === true && sequence === count - 1;
      await publisher.publishJson(topic, json, { publisher: publisher.id, sequence }, { trace });
    }
    console.log(`published ${count} to ${topic}`);
  } catch (error) {
    const { brokers, acked } = publisher.snapshot();
    const none = brokers.length === 0 && codeOf(error) === 'timeout';
    const why = none ? `no Herald at ${heralds.join(', ')} names a broker` : messageOf(error);
    throw new StartError(`${acked > 0 ? `published ${acked} of ${count}, then` : 'not published'}: ${why}`);
  } finally {
    await publisher.close();
  }
  if (flags.trace !== true) return;
  const id = traceKey({ publisher: publisher.id, sequence: count - 1 });
  console.log(`trace ${id}\n${renderTraces(await collectTraces(adminTarget(flags), id))}`);
}

/** Text that is JSON goes out as it is, to the last digit; any other is a JSON string. */
function jsonOf(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}

function subscribe(
  topics: string[],
  flags: { url: string; authToken?: string; count?: string },
): Promise<void> {
  for (const topic of topics) checkTopic(topic);
  const most = flags.count === undefined ? Infinity : wholeNumber('--count', flags.count, 1, MAX_COUNT);
  const herald = heraldUrls('--url', flags.url);
  return new Promise((resolve, reject) => {
    let seen = 0;
    const client = connect({
      herald,
      topics,
      webSocket: WebSocket,
      ...(flags.authToken !== undefined && { token: flags.authToken }),
    });
    const stop = (): void => {
      client.close();
      resolve();
    };
    client.on('message', ({ topic, offset, data }) => {
      console.log(JSON.stringify({ topic, offset, data }));
      seen += 1;
      if (seen >= most) stop();
    });
    client.on('gap', (gap) => console.error(JSON.stringify({ gap })));
    const left = new Set(topics);
    client.on('refused', (refused) => {
      console.error(JSON.stringify({ refused }));
      left.delete(refused.topic);
      if (left.size > 0) return;
      client.close();
      reject(new StartError(`no topic is left: the gateway refused ${refused.topic}: ${refused.message}`));
    });
    client.on('state', (state) => console.error(JSON.stringify({ state })));
    client.on('end', ({ reason }) => reject(new StartError(`connection refused for good: ${reason}`)));
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}

function checkTopic(topic: string): void {
  if (!TOPIC_PATTERN.test(topic)) throw new StartError(`${JSON.stringify(topic)} is not ${TOPIC_WORDS}`);
}
