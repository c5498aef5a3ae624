// What a link makes of the lives of a broker: two sockets that say what the test wants.

import { expect, it, onTestFinished } from 'vitest';
import { Router, XPublisher } from 'zeromq';
import { bucketOf } from '../../../src/protocol/bucket.ts';
import { ByteWriter } from '../../../src/protocol/bytes.ts';
import { createFrameNames } from '../../../src/protocol/publication.ts';
import type { Section } from '../../../src/protocol/publication-envelope.ts';
import {
  bucketFilter,
  encodeEnvelope,
  encodeHeads,
  writeSection,
} from '../../../src/protocol/publication-envelope.ts';
import type { RepairReply, RepairRequest } from '../../../src/protocol/publication-repair.ts';
import { decodeRepairRequest, encodeRepairReply } from '../../../src/protocol/publication-repair.ts';
import { closeLater } from '../../launch/close-later.ts';
import { freePorts } from '../../launch/free-port.ts';
import { startTcpProxy } from '../../launch/tcp-proxy.ts';
import { until } from '../../launch/until.ts';
import { aSection } from '../../unit/broker/given.ts';
import { listener } from './rig.ts';

const BUCKET = bucketOf('t');

const section = (first: number, count: number): Section => aSection(BUCKET, first, count);

async function playedBroker() {
  const [subscribe, repair] = (await freePorts(2)).map((port) => `tcp://127.0.0.1:${port}`);
  const feed = closeLater(new XPublisher({ linger: 0 }));
  const router = closeLater(new Router({ linger: 0 }));
  await feed.bind(subscribe!);
  await router.bind(repair!);
  let peer: Buffer | undefined;
  const asked: RepairRequest[] = [];
  const filters: Buffer[] = [];
  void (async () => {
    for await (const [filter] of feed) filters.push(filter!);
  })();
  void (async () => {
    for await (const [from, frame] of router) {
      peer = from;
      const request = decodeRepairRequest(frame!, createFrameNames());
      if (request.ok) asked.push(request.value);
    }
  })();
  return {
    address: {
      id: 'b',
      epoch: 'one',
      publish: '',
      subscribe: subscribe!,
      repair: repair!,
      http: '',
      state: 'up',
    },
    /** Resolves when it would hear of the bucket. */
    wanted: () =>
      until('its filter', () => filters.some((one) => one.equals(Buffer.from([1, ...bucketFilter(BUCKET)])))),
    /** The next question of that kind. */
    async question<K extends RepairRequest['kind']>(kind: K): Promise<Extract<RepairRequest, { kind: K }>> {
      const isIt = (one: RepairRequest): one is Extract<RepairRequest, { kind: K }> => one.kind === kind;
      await until(`a question for ${kind}`, () => asked.some(isIt));
      const found = asked.find(isIt)!;
      asked.splice(0, asked.indexOf(found) + 1);
      return found;
    },
    answer: (reply: RepairReply) => router.send([peer!, encodeRepairReply(new ByteWriter(), reply)]),
    async send(epoch: string, ...sections: Section[]): Promise<void> {
      const bytes = sections.map((one) => {
        const writer = new ByteWriter();
        writeSection(writer, one);
        return writer.take();
      });
      await feed.send(encodeEnvelope(new ByteWriter(), 'narrow', BUCKET, epoch, bytes));
    },
    /** The last heartbeat of a life in which nothing was published. */
    sayBye: (epoch: string) =>
      feed.send(encodeHeads(new ByteWriter(), { broker: 'b', epoch, state: 'bye', nowMs: 0, heads: [] })),
  } as const;
}

it('a link goes on with the life it hears, whoever answers late or for another', async () => {
  const broker = await playedBroker();
  const heard = listener([broker.address]);
  const { link, gaps } = heard;
  onTestFinished(() => link.close());
  void link.subscribe('t');
  const { request } = await broker.question('heads');
  // One that asks again before it is answered takes the first answer as well.
  void link.subscribe('u');
  await broker.question('heads');
  const heads = [{ bucket: BUCKET, sequence: 5 }];
  await broker.answer({ request, kind: 'heads', epoch: 'one', upMs: 3_600_000, heads });
  await until('the bucket to be joined', () => link.snapshot().brokers[0]?.epoch === 'one');

  await broker.wanted();
  await broker.send('one', section(8, 1));
  const range = await broker.question('range');
  expect(range).toMatchObject({ of: 'one', fromSequence: 6, toSequence: 7 });
  // An answer to a question that nobody waits for any more, about another broker's life.
  await broker.answer({ request: 999_999, kind: 'heads', epoch: 'other', upMs: 1, heads });
  const found = { bucket: BUCKET, firstHeldSequence: 1, headSequence: 8, section: section(6, 2) };
  await broker.answer({ request: range.request, kind: 'range', epoch: 'one', ...found });
  await until('the hole to be filled', () => heard.values('t').length === 3);

  // Of a range far beyond the head, as a question about a life before would be answered.
  const nothing = { bucket: BUCKET, firstHeldSequence: 1, headSequence: 8, section: section(500, 0) };
  await broker.answer({ request: 999_998, kind: 'range', epoch: 'one', ...nothing });
  await broker.send('one', section(9, 2));
  await until('what follows', () => heard.values('t').length === 5);
  expect(heard.values('t')).toEqual([6, 7, 8, 9, 10]);
  expect(gaps).toEqual([]);
  expect(link.snapshot().brokers[0]?.epoch).toBe('one');
});

it('a link that asks a leaving broker once more does not keep it waiting', async () => {
  const broker = await playedBroker();
  const { link } = listener([broker.address]);
  onTestFinished(() => link.close());
  const answer = async (): Promise<void> => {
    const { request } = await broker.question('heads');
    await broker.answer({ request, kind: 'heads', epoch: 'one', upMs: 3_600_000, heads: [] });
  };
  void link.subscribe('t');
  await answer();
  await broker.wanted();
  await broker.sayBye('one');
  await broker.question('leave');
  // To be asked for heads is a sign of life: the broker waits for this link again.
  void link.subscribe('u');
  await answer();
  await broker.question('leave');
});

it('a link counts what was gone of a life that it hears from the start', async () => {
  const broker = await playedBroker();
  const heard = listener([broker.address]);
  onTestFinished(() => heard.link.close());
  void heard.link.subscribe('t');
  const { request } = await broker.question('heads');
  // It began just now, after the topic was wanted, and has lost its first messages all the same.
  const heads = [{ bucket: BUCKET, sequence: 8 }];
  await broker.answer({ request, kind: 'heads', epoch: 'one', upMs: 0, heads });
  const range = await broker.question('range');
  expect(range).toMatchObject({ fromSequence: 1, toSequence: 8 });
  const left = { bucket: BUCKET, firstHeldSequence: 6, headSequence: 8, section: section(6, 3) };
  await broker.answer({ request: range.request, kind: 'range', epoch: 'one', ...left });
  await until('what is left', () => heard.values('t').length === 3);
  expect(heard.values('t')).toEqual([6, 7, 8]);
  expect(heard.gaps).toEqual([{ topic: 't', epoch: 'one', fromOffset: 1, count: 5, why: 'trimmed' }]);
});

it('a link that was told where a broker stands after its connection was reset misses nothing at its end', async () => {
  const broker = await playedBroker();
  const { subscribe, repair } = broker.address;
  const proxies = await Promise.all(
    [subscribe, repair].map(async (url) => closeLater(await startTcpProxy(Number(new URL(url).port)))),
  );
  const [subscribeAt, repairAt] = proxies.map((proxy) => `tcp://${proxy.address}`);
  const address = { ...broker.address, subscribe: subscribeAt!, repair: repairAt! };
  let aheadMs = 0;
  const heard = listener([address], { nowMs: () => performance.now() + aheadMs });
  const { link, gaps } = heard;
  onTestFinished(() => link.close());
  const isConnected = (): boolean => link.snapshot().brokers[0]!.connected;
  const stands = async (): Promise<void> => {
    const { request } = await broker.question('heads');
    const heads = [{ bucket: BUCKET, sequence: 5 }];
    await broker.answer({ request, kind: 'heads', epoch: 'one', upMs: 3_600_000, heads });
  };
  void link.subscribe('t');
  await stands();
  await until('the bucket to be joined', () => link.snapshot().brokers[0]?.epoch === 'one');

  for (const proxy of proxies) proxy.cut();
  await until('the reset to be noticed', () => !isConnected());
  aheadMs = 1_000;
  link.setBrokers([{ ...address, silentMs: 0 }]);
  for (const proxy of proxies) proxy.mend();
  await until('the connection', isConnected);
  await stands();
  await broker.wanted();
  await broker.send('two', section(1, 1));
  const { request, of } = await broker.question('heads');
  expect(of).toBe('one');
  await broker.answer({ request, kind: 'not-held', epoch: 'one' });
  // Answered after that.
  const head = link.subscribe('u');
  const { request: last } = await broker.question('topics');
  await broker.answer({ request: last, kind: 'topics', epoch: 'two', answers: [] });
  await head;
  expect(gaps).toEqual([]);
});
