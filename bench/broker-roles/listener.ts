// The gateway's link of the benchmark, a process of its own: receives and counts.

import { createBrokerLink } from '../../src/gateway/feed/broker-link.ts';
import type { BrokerAddress } from '../../src/protocol/broker-address.ts';
import { answerLines, cpuMs, tell } from '../role/answer-lines.ts';

const { broker, topics } = JSON.parse(process.argv[2]!) as { broker: BrokerAddress; topics: string[] };
let received = 0;
const link = createBrokerLink({
  brokers: [broker],
  onMessages: (batch) => void (received += batch.length),
  onGap: (gap) => tell({ gap }),
});
await Promise.all(topics.map((topic) => link.subscribe(topic)));
tell('ready');
answerLines(() => ({ cpuMs: cpuMs(), received, lost: link.snapshot().lost }));
