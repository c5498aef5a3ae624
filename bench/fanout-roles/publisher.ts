// A back end that publishes at a steady rate: to Herald through the real SDK and broker, to nchan by HTTP, to
// nats-server by its client protocol.

import { connect } from 'node:net';
import { Client } from 'undici';
import type { BrokerAddress } from '../../src/protocol/broker-address.ts';
import { createPublisher } from '../../src/publisher/index.ts';
import { answerLines, tell } from '../role/answer-lines.ts';
import type { Load } from './words.ts';
import { steadily } from './words.ts';

type Publish = (topic: string, data: Buffer) => Promise<unknown>;

const given = JSON.parse(process.argv[2]!) as
  { broker: BrokerAddress } | { nchan: number } | { nats: number };
let failed = 0;

const open = async (): Promise<Publish> => {
  if ('broker' in given) {
    const publisher = await createPublisher({ brokers: [given.broker] });
    return (topic, data) => publisher.publishJson(topic, data);
  }
  if ('nchan' in given) {
    const http = new Client(`http://127.0.0.1:${given.nchan}`, { pipelining: 1 });
    return async (topic, data) => {
      const { statusCode, body } = await http.request({ path: `/pub/${topic}`, method: 'POST', body: data });
      await body.dump();
      if (statusCode >= 300) throw new Error(`nchan answered ${statusCode}`);
    };
  }
  const socket = connect(given.nats, '127.0.0.1');
  socket.write('CONNECT {"verbose":false}\r\n');
  socket.resume();
  return async (topic, data) => {
    socket.write(Buffer.concat([Buffer.from(`PUB ${topic} ${data.length}\r\n`), data, Buffer.from('\r\n')]));
  };
};

const publish = await open();
tell('ready');
answerLines((question: 'stats' | { load: Load }) => {
  if (typeof question === 'object') {
    steadily(question.load, (topic, data) => {
      publish(topic, data).catch((error: unknown) => {
        if (failed++ === 0) console.error('publishing failed:', error);
      });
    });
  }
  return { failed };
});
