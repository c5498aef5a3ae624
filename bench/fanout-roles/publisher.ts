// A back end that publishes at a steady rate through the real SDK and broker.

import type { BrokerAddress } from '../../src/protocol/load-report.ts';
import { createPublisher } from '../../src/publisher/index.ts';
import { answerLines, cpuMs, tell } from '../broker-roles/cpu.ts';
import type { Load } from './words.ts';
import { steadily } from './words.ts';

const { broker } = JSON.parse(process.argv[2]!) as { broker: BrokerAddress };
const publisher = await createPublisher({ brokers: [broker] });
let failed = 0;
let stop: () => void = () => {};
tell('ready');
answerLines((line) => {
  const question = JSON.parse(line) as 'stats' | 'stop' | { load: Load };
  if (question === 'stop') stop();
  if (typeof question === 'object') {
    stop = steadily(question.load, (topic, data) => {
      publisher.publishJson(topic, data).catch(() => (failed += 1));
    });
  }
  return { cpuMs: cpuMs(), failed };
});
