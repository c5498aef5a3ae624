// A publisher as a child process of a test: numbers round robin over its topics at a rate, until SIGTERM.

import { createPublisher } from '../../../src/publisher/index.ts';
import type { BrokerAddress } from '../../../src/protocol/broker-address.ts';
import type { PublisherChildOptions } from './rig.ts';

const { brokers, topics, ratePerSec, giveUpMs } = JSON.parse(process.argv[2]!) as PublisherChildOptions & {
  brokers: BrokerAddress[];
};
const publisher = await createPublisher({ brokers, giveUpMs });
const sent = topics.map(() => 0);
let total = 0;
const startedMs = performance.now();
const timer = setInterval(() => {
  const due = Math.floor(((performance.now() - startedMs) / 1_000) * ratePerSec);
  // After a pause it goes on at its rate; its queue would not hold what it has not sent meanwhile.
  for (let n = 0; total < due && n < ratePerSec / 10; n++, total++) {
    const topic = total % topics.length;
    sent[topic]! += 1;
    publisher.publish(topics[topic]!, sent[topic]).catch(() => {});
  }
}, 5);
console.log('ready');
process.once('SIGTERM', () => {
  clearInterval(timer);
  void publisher.close().then(() => {
    console.log(`sent ${JSON.stringify({ sent, snapshot: publisher.snapshot() })}`);
    process.exit(0);
  });
});
