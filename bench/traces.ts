// What tracing costs a gateway for messages that are not traced: the way of a message from the decoded envelope
// through the feed and the hub to the end of a flush, with no trace, with one in 10,000 and with one in 100, in turn
// in the same run. No sockets: only the fan-out path is measured.
//
//   node scripts/run-ts.mjs bench/traces.ts [--messages 200000] [--repeats 7]

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { TracedArrival } from '../src/gateway/core/feed-port.ts';
import { FeedTopics } from '../src/gateway/core/feed-topics.ts';
import { VARIANT } from '../src/gateway/core/group.ts';
import { Hub } from '../src/gateway/core/hub.ts';
import { Outbox } from '../src/gateway/core/outbox.ts';
import { TraceBook } from '../src/gateway/core/trace-book.ts';
import { MESSAGE_FLAG } from '../src/protocol/publication.ts';
import type { SequencedMessage } from '../src/protocol/publication-envelope.ts';

const { values } = parseArgs({
  options: { messages: { type: 'string', default: '200000' }, repeats: { type: 'string', default: '7' } },
});
const MESSAGES = Number(values.messages);
const REPEATS = Number(values.repeats);
const TOPICS = 350;
const SUBSCRIBERS = 10;
const PER_ENVELOPE = 200;

const allocate = (size: number): Uint8Array => Buffer.allocUnsafe(size);

/** CPU microseconds a message; `oneIn` 0 = none is traced. */
function run(oneIn: number): number {
  const outbox = new Outbox(0.7);
  const flushClass = outbox.classOf(0);
  const hub = new Hub({
    outbox,
    traitsOf: () => ({ flushClass, sendsLast: false }),
    history: { maxMessages: 0, maxBytes: 0, maxAgeMs: 0 },
    historyBudgetBytes: 0,
    deflate: () => undefined,
    deflateFromBytes: Infinity,
    allocate,
  });
  const book = new TraceBook('gw', () => {});
  const feed = new FeedTopics(
    {
      onMessages(batch) {
        for (const message of batch) hub.message(message, 0);
      },
      onGap() {},
    },
    () => {},
    (message, epoch) => {
      const { marks, subscribers } = hub.marksOf(message.topic);
      const arrival: TracedArrival = {
        ...message,
        epoch,
        publisher: message.source.publisher,
        stamps: [],
      };
      book.arrived(arrival, marks, subscribers, Date.now());
    },
  );
  const names = Array.from({ length: TOPICS }, (_, i) => `bench.${i}`);
  for (const name of names) {
    feed.add(name, 0);
    for (let i = 0; i < SUBSCRIBERS; i++) {
      const subscriber = {
        deliver: () => {},
        variant: VARIANT.gap,
        group: undefined,
        indexInGroup: 0,
        position: 0,
      };
      hub.subscribe(subscriber, [hub.topic(name)]);
    }
  }
  const source = { publisher: 'p', origin: 'main', hop: 0 };
  const data = Buffer.from(JSON.stringify({ text: 'x'.repeat(500) }));
  const offsets = new Map<string, number>();
  const envelope = (first: number): SequencedMessage[] =>
    Array.from({ length: PER_ENVELOPE }, (_, i) => {
      const sequence = first + i;
      const topic = names[sequence % TOPICS]!;
      const offset = (offsets.get(topic) ?? 0) + 1;
      offsets.set(topic, offset);
      const flags = oneIn > 0 && sequence % oneIn === 0 ? MESSAGE_FLAG.traced : 0;
      return { topic, data, source, sequence, flags, publishedAtMs: 0, offset };
    });
  const envelopes = Array.from({ length: MESSAGES / PER_ENVELOPE }, (_, i) => envelope(i * PER_ENVELOPE));
  const before = process.cpuUsage();
  for (const messages of envelopes) {
    feed.deliver('e1', messages, () => {});
    for (const group of outbox.takeDue(Infinity).flatMap(({ groups }) => groups)) {
      group.begin();
      while (!hub.write(group, 32));
    }
    book.flushed(() => Date.now());
  }
  const { user, system } = process.cpuUsage(before);
  if (hub.ledger.delivered !== MESSAGES * SUBSCRIBERS) throw new Error('not all was delivered');
  if (oneIn > 0 && book.last().length === 0) throw new Error('nothing was traced');
  return (user + system) / MESSAGES;
}

const cases: [string, number][] = [
  ['no message traced', 0],
  ['one in 10,000', 10_000],
  ['one in 100', 100],
];
for (const [, oneIn] of cases) run(oneIn);
const results = new Map<string, number[]>(cases.map(([name]) => [name, []]));
for (let repeat = 0; repeat < REPEATS; repeat++) {
  for (const [name, oneIn] of cases) results.get(name)!.push(run(oneIn));
}
const median = (list: number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]!;
const base = median(results.get(cases[0]![0])!);
for (const [name, list] of results) {
  const middle = median(list);
  console.log(
    `${name.padEnd(20)} ${middle.toFixed(2)} us of CPU a message and its ${SUBSCRIBERS} deliveries, ${(middle / base).toFixed(3)} of none`,
  );
}
console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}, medians of ${REPEATS}`);
