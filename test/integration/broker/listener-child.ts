// A gateway's link as a child process of a test, to be frozen and woken: prints its counters twice a second.

import { listener } from './rig.ts';
import type { BrokerAddress } from '../../../src/protocol/broker-address.ts';

const { brokers, topics } = JSON.parse(process.argv[2]!) as { brokers: BrokerAddress[]; topics: string[] };
const heard = listener(brokers);
await Promise.all(topics.map((topic) => heard.link.subscribe(topic)));
console.log('ready');
setInterval(() => {
  const { delivered, lost, repaired } = heard.link.snapshot();
  const counted = heard.gaps.reduce((sum, gap) => sum + gap.count, 0);
  console.log(JSON.stringify({ delivered, lost, repaired, counted }));
}, 250);
