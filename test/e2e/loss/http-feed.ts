// Publishing over HTTP, as back ends without ZeroMQ do: batches of the topics in turn, each to the next broker
// that is up, tried again under its idempotency key until it is answered with 202. Only then it counts as acked.

import { Agent } from 'undici';
import { pause } from '../../launch/until.ts';
import type { Field } from './field.ts';

export interface HttpFeed {
  publish: (topic: number) => void;
  settled(): Promise<void>;
  failed(): number;
}

const BATCH_MS = 20;
const TRIES = 40;

export function startHttpFeed(field: Field): HttpFeed {
  const agent = new Agent({ connections: 16, connectTimeout: 500, headersTimeout: 6_000 });
  const batch: { topic: number; number: number }[] = [];
  let timer: NodeJS.Timeout | undefined;
  let open = 0;
  let failed = 0;
  let turn = 0;

  const send = async (messages: typeof batch): Promise<void> => {
    const body = JSON.stringify(
      messages.map(({ topic, number }) => ({ topic: field.topics[topic]!, data: number })),
    );
    const key = `loss-${turn}`;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const broker = field.brokers[turn++ % field.brokers.length]!;
      try {
        const reply = await agent.request({
          origin: field.httpOf(broker),
          path: '/v1/publish',
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': key },
          body,
        });
        await reply.body.dump();
        if (reply.statusCode === 202) {
          for (const { topic, number } of messages) field.book.acked(topic, number);
          return;
        }
      } catch {
        // The broker is gone: the same messages under the same key to the next one.
      }
      await pause(50);
    }
    failed += messages.length;
  };

  return {
    publish(topic) {
      batch.push({ topic, number: field.book.publishing(topic) });
      timer ??= setTimeout(() => {
        timer = undefined;
        open += 1;
        void send(batch.splice(0)).finally(() => (open -= 1));
      }, BATCH_MS);
    },
    async settled() {
      while (timer !== undefined || open > 0) await pause(20);
      await agent.close();
    },
    failed: () => failed,
  };
}
