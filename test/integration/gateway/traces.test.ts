// Traces over real sockets: publisher, broker, gateway and a client, and peers that know nothing of them.

import { Router, XSubscriber } from 'zeromq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boundSocketOptions } from '../../../src/daemon/zeromq-options.ts';
import type { TraceRecord } from '../../../src/gateway/core/trace-book.ts';
import { ByteWriter } from '../../../src/protocol/bytes.ts';
import type { BrokerAddress } from '../../../src/protocol/broker-address.ts';
import {
  createFrameNames,
  decodePublishBatch,
  encodePublishAck,
  MESSAGE_FLAG,
} from '../../../src/protocol/publication.ts';
import { decodeBrokerOut, WIDE_FILTER } from '../../../src/protocol/publication-envelope.ts';
import { decodeTraceNotes } from '../../../src/protocol/publication-trace.ts';
import { createPublisher } from '../../../src/publisher/index.ts';
import { TestClient } from '../../launch/gateway.ts';
import type { SmallFleet } from '../../launch/small-fleet.ts';
import { launchSmallFleet } from '../../launch/small-fleet.ts';
import { until } from '../../launch/until.ts';

let fleet: SmallFleet;
beforeAll(async () => {
  fleet = await launchSmallFleet(1, { gateway: { maxWaitMs: 5 } });
}, 60_000);
afterAll(() => fleet.close());

const traces = async (query = ''): Promise<TraceRecord[]> => {
  const reply = await fetch(`${fleet.gateways[0]!.addresses.http}/v1/traces${query}`);
  expect(reply.status).toBe(200);
  return ((await reply.json()) as { traces: TraceRecord[] }).traces;
};

describe('a message that is traced on demand', () => {
  it('is found at the gateway with the time of every hop, in their order; others are not', async () => {
    const { url } = fleet.gateways[0]!;
    const clients = [await TestClient.connect(url), await TestClient.connect(url)];
    for (const client of clients) await client.subscribe('traced.1');
    await fleet.publisher.publish('traced.1', 'plain');
    await fleet.publisher.publish('traced.1', 'followed', { trace: true });
    for (const client of clients) expect(await client.messages(2)).toEqual(['plain', 'followed']);
    const [record, ...others] = await until('the trace', async () => {
      const found = await traces();
      return found.length > 0 ? found : undefined;
    });
    expect(others).toEqual([]);
    expect(record).toMatchObject({ topic: 'traced.1', offset: 2, subscribers: 2 });
    expect(record!.hops.map(({ hop, by }) => `${hop} ${by}`)).toEqual([
      `published ${fleet.publisher.id}`,
      `sent ${fleet.publisher.id}`,
      `received ${fleet.broker.snapshot().id}`,
      `forwarded ${fleet.broker.snapshot().id}`,
      'arrived gw-1',
      'written gw-1',
    ]);
    const times = record!.hops.map(({ atEpochMs }) => atEpochMs);
    // Each has a clock of its own, within a millisecond of the machine's.
    for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBeGreaterThan(-2);
    const spent = Object.values(record!.spentMs).reduce((sum, ms) => sum + ms, 0);
    expect(Object.keys(record!.spentMs)).toHaveLength(5);
    expect(spent).toBeCloseTo(record!.totalMs, 1);
    expect(await traces(`?id=${record!.id}&n=1`)).toEqual([record]);
    expect(await traces('?id=p:1')).toEqual([]);
    for (const client of clients) client.ws.terminate();
  });

  it('is told to operators alone, and a bad question is refused', async () => {
    const { http } = fleet.gateways[0]!.addresses;
    const proxied = { headers: { 'x-forwarded-for': '10.0.0.1' } };
    const shut = await fetch(`${http}/v1/traces`, proxied);
    expect(shut.headers.get('content-type')).toContain('application/problem+json');
    const code = 'token-unset';
    expect(await shut.json()).toMatchObject({ type: `urn:herald:problem:${code}`, status: 403, code });
    expect((await fetch(`${http}/v1/traces?n=x`)).status).toBe(400);
  });
});

describe('one in so many', () => {
  it('is traced by itself', async () => {
    const client = await TestClient.connect(fleet.gateways[0]!.url);
    await client.subscribe('sampled.1');
    const publisher = await createPublisher({ brokers: [fleet.broker.address()], traceOneIn: 50 });
    await Promise.all(Array.from({ length: 500 }, (_, i) => publisher.publish('sampled.1', i)));
    await client.messages(500);
    await until('ten traces', async () => {
      const found = (await traces()).filter(({ topic }) => topic === 'sampled.1');
      return found.length === 10;
    });
    await publisher.close();
    client.ws.terminate();
  });
});

describe('peers of an older version, which read the first part of a message alone', () => {
  const names = createFrameNames();

  it('take the publications of a publisher that traces', async () => {
    const intake = new Router({ ...boundSocketOptions, linger: 0 });
    await intake.bind('tcp://127.0.0.1:*');
    const address = { ...fleet.broker.address(), id: 'old', publish: intake.lastEndpoint! };
    const publisher = await createPublisher({ brokers: [address satisfies BrokerAddress] });
    const published = publisher.publish('t', 1, { trace: true });
    const [peer, frame, notes] = await intake.receive();
    const batch = decodePublishBatch(frame!, names);
    if (!batch.ok || !notes) throw new Error('no batch, or no notes');
    // Beyond the flag, which every version passes on, nothing in the frame tells of it.
    expect(batch.value.messages).toMatchObject([{ topic: 't', flags: MESSAGE_FLAG.traced }]);
    expect(decodeTraceNotes(notes, names)).toMatchObject({ ok: true, value: [{ publisher: publisher.id }] });
    const acks = [{ batch: batch.value.batch, status: 'taken' as const, refused: [] }];
    await intake.send([peer!, encodePublishAck(new ByteWriter(), { epoch: 'old', acks })]);
    await published;
    await publisher.close();
    intake.close();
  }, 20_000);

  it('take the envelopes of a broker that traces, and plain ones have one part', async () => {
    const feed = new XSubscriber({ sendHighWaterMark: 0 });
    feed.connect(fleet.broker.address().subscribe);
    await feed.send(Uint8Array.of(1, ...WIDE_FILTER));
    const parts = new Map<unknown, number>();
    const reading = (async () => {
      for await (const [frame, ...more] of feed) {
        const read = decodeBrokerOut(frame!, names);
        if (!read.ok || read.value.kind !== 'envelope') throw new Error('not an envelope');
        for (const { messages } of read.value.sections) {
          for (const { topic } of messages) parts.set(topic, 1 + more.length);
        }
      }
    })();
    await until('both', async () => {
      await fleet.publisher.publish('old.traced', 1, { trace: true });
      await fleet.publisher.publish('old.plain', 1);
      return parts.has('old.traced') && parts.has('old.plain');
    });
    expect([parts.get('old.traced'), parts.get('old.plain')]).toEqual([2, 1]);
    feed.close();
    await reading.catch(() => {});
  }, 20_000);
});
