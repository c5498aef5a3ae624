import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/daemon/log.ts';
import { decodeLoadReport } from '../../../src/protocol/load-report.ts';
import type { Directive } from '../../../src/protocol/load-report.ts';
import type { ReporterCounters } from '../../../src/reporter/index.ts';
import { pause, until } from '../../launch/until.ts';
import { herald, reporter } from './given.ts';
import { feedbackReply, startScriptedHerald } from './scripted-herald.ts';

describe('reporter', () => {
  it('sends reports that Herald can decode, numbered, over one kept connection', async () => {
    const h = await herald();
    reporter({ heralds: [h.url], pool: 'p', zone: 'z', labels: { a: 'b' }, capacity: 2 });
    await until('five reports', () => h.seen.length >= 5);
    const decoded = h.reports().map((report) => decodeLoadReport(report));
    for (const one of decoded) expect(one).toMatchObject({ ok: true });
    const seqs = h.reports().map((report) => report['seq'] as number);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    expect(new Set(seqs).size).toBe(seqs.length);
    expect(h.reports()[1]).toMatchObject({
      kind: 'full',
      pool: 'p',
      zone: 'z',
      labels: { a: 'b' },
      capacity: 2,
    });
    expect(h.connectionsSeen()).toBe(1);
  });

  it('measures a busy loop within one averaging window', async () => {
    const h = await herald();
    const r = reporter({ heralds: [h.url] });
    await until('a first report', () => h.seen.length >= 1);
    const endMs = performance.now() + 2_500;
    while (performance.now() < endMs) {
      const sliceEndMs = performance.now() + 45;
      while (performance.now() < sliceEndMs);
      await pause(5);
    }
    await r.flush();
    const last = h.reports().at(-1)!;
    expect(last['eventLoop']).toBeGreaterThan(0.6);
    expect(last['cpu']).toBeGreaterThan(0.1);
    expect(last['loopDelayP99Ms']).toBeGreaterThan(10);
    expect(last['memory']).toBeGreaterThan(0);
    expect(last['memory']).toBeLessThan(1);
    expect(last['descriptors']).toBeGreaterThan(0);
  });

  it('tells a rush of connects at once, with counters alone, and at least 100 ms apart', async () => {
    const h = await herald();
    h.answer = () => feedbackReply({ periodMs: 60_000 });
    const counters: ReporterCounters = { connections: 0, acceptedTotal: 0 };
    const steady = { cpu: 0.1, eventLoop: 0.1, memory: 0.1, descriptors: 0.1 };
    reporter({ heralds: [h.url], periodMs: 60_000, counters: () => counters, signals: () => steady });
    await until('the first report', () => h.seen.length >= 1);
    const rush = setInterval(() => {
      counters.connections += 20;
      counters.acceptedTotal! += 20;
    }, 10);
    await until('five early reports', () => h.seen.length >= 6);
    clearInterval(rush);
    const early = h.reports().slice(1);
    expect(early.every((report) => report['kind'] === 'counters' && report['cpu'] === undefined)).toBe(true);
    const gaps = h.seen.slice(2).map((one, i) => one.atMs - h.seen[i + 1]!.atMs);
    // Arrival jitters by a few ms on a busy machine; departure does not.
    expect(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length).toBeGreaterThan(90);
  });

  it('never has two posts under way to one Herald, and sends the newest state when a slow one answers', async () => {
    const h = await herald();
    let connections = 0;
    h.answer = async () => {
      await pause(500);
      return feedbackReply({ periodMs: 50 });
    };
    reporter({ heralds: [h.url], periodMs: 50, counters: () => ({ connections: connections++ }) });
    await until('three reports', () => h.seen.length >= 3);
    expect(h.mostAtOnce()).toBe(1);
    const counts = h.reports().map((report) => report['connections'] as number);
    expect(counts[2]! - counts[1]!).toBeGreaterThan(3);
  });

  it('reports to a Herald below a path of a proxy there, and says goodbye there', async () => {
    const h = await herald();
    const r = reporter({ heralds: [`${h.url}/edge/herald/`] });
    await until('a report', () => h.reports().length > 0);
    await r.close();
    const paths = new Set(h.seen.map(({ method, path }) => `${method} ${path}`));
    expect([...paths]).toEqual(['POST /edge/herald/v1/feedback', 'DELETE /edge/herald/v1/feedback/g1']);
  });

  it('reports to every Herald that a reply names', async () => {
    const [one, two] = [await herald(), await herald()];
    one.answer = () => feedbackReply({ heralds: [one.url, two.url] });
    two.answer = () => feedbackReply({ heraldId: 'h2', heralds: [one.url, two.url] });
    reporter({ heralds: [one.url] });
    await until('both hear of it', () => one.seen.length >= 3 && two.seen.length >= 3);
  });

  it('reports once to a Herald that it knows under two addresses', async () => {
    const h = await herald();
    const alias = h.url.replace('127.0.0.1', 'localhost');
    h.answer = () => feedbackReply({ heralds: [alias] });
    const r = reporter({ heralds: [h.url] });
    await until('the alias was tried', () => r.snapshot().heralds.length === 2 && h.connectionsSeen() === 2);
    const before = h.reports().length;
    await r.flush();
    await r.flush();
    // A report goes to each Herald under one number: the same number twice is the same Herald twice.
    const numbers = h
      .reports()
      .slice(before)
      .map(({ seq }) => seq);
    expect(numbers.length).toBeGreaterThanOrEqual(2);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it('follows the period a Herald asks for', async () => {
    const h = await herald();
    h.answer = () => feedbackReply({ periodMs: 1_500 });
    const r = reporter({ heralds: [h.url] });
    await until('the period is taken', () => r.snapshot().periodMs === 1_500);
    await r.flush();
    expect(h.reports().at(-1)).toMatchObject({ periodMs: 1_500 });
  });

  it('hands an order on once, however often it is repeated, and brokers with each reply', async () => {
    const [one, two] = [await herald(), await herald()];
    const drain = { orderId: 'o1', reason: 'deploy', spreadMs: 10, deadlineMs: 20 };
    const broker = {
      id: 'b1',
      publish: 'tcp://127.0.0.1:1',
      subscribe: 'tcp://127.0.0.1:2',
      repair: 'tcp://127.0.0.1:3',
      http: '',
      epoch: 'e',
      state: 'up',
    };
    one.answer = () => feedbackReply({ directive: { drain }, brokers: [broker] });
    two.answer = () => feedbackReply({ heraldId: 'h2', directive: { drain }, brokers: [broker] });
    const orders: Directive[] = [];
    const brokers: unknown[] = [];
    reporter({
      heralds: [one.url, two.url],
      onDirective: (order) => orders.push(order),
      onBrokers: (list) => brokers.push(list),
    });
    await until('several replies', () => brokers.length >= 8);
    expect(orders).toEqual([{ drain }]);
    expect(brokers.at(-1)).toEqual([broker]);
  });

  it.each([
    [
      'throw',
      () => {
        throw new Error('no');
      },
    ],
    [
      'reject',
      async () => {
        throw new Error('no');
      },
    ],
  ])('logs what callbacks %s, and goes on', async (_how, fails) => {
    const h = await herald();
    const drain = { orderId: 'drain-1', reason: 'deploy', spreadMs: 1_000, deadlineMs: 2_000 };
    h.answer = () => feedbackReply({ directive: { drain }, brokers: [] });
    const failed: unknown[] = [];
    const error = (event: string, fields: object = {}): void => void failed.push({ event, ...fields });
    reporter({ heralds: [h.url], onDirective: fails, onBrokers: fails, log: { ...silentLog, error } });
    await until('reports after that', () => h.seen.length >= 3 && failed.length >= 3);
    for (const what of ['onBrokers', 'onDirective']) {
      expect(failed).toContainEqual({ event: 'callback-failed', what, error: 'no' });
    }
  });

  it('backs off from a Herald that refuses and returns to one that comes back on its port', async () => {
    const first = await startScriptedHerald();
    const port = Number(new URL(first.url).port);
    const r = reporter({ heralds: [first.url], periodMs: 50 });
    await until('reports arrive', () => first.seen.length >= 2);
    await first.close();
    await until('the loss is seen', () => r.snapshot().heralds[0]!.state === 'failing');
    const back = await herald(port);
    await until('reports arrive again', () => back.seen.length >= 2);
    expect(back.reports()[0]).toMatchObject({ kind: 'full' });
    await until('the link is up', () => r.snapshot().heralds[0]!.state === 'up');
  });

  it('gives up on a mute Herald after the deadline and does not let it delay the others', async () => {
    const [mute, good] = [await herald(), await herald()];
    mute.answer = () => new Promise(() => {});
    const r = reporter({ heralds: [mute.url, good.url] });
    await until('the mute one is failing', () => r.snapshot().heralds[0]!.state === 'failing');
    expect(good.seen.length).toBeGreaterThan(5);
  });

  it.each([
    ['not JSON', 'nonsense'],
    ['a wrong type', { accepted: 1, periodMs: '500', heraldId: 'h', nowMs: 1, heralds: [] }],
    ['an array', []],
  ])('takes %s as a failure, not as an order', async (_, body) => {
    const h = await herald();
    h.answer = () => ({ body });
    const r = reporter({ heralds: [h.url] });
    await until('the link is failing', () => r.snapshot().heralds[0]!.state === 'failing');
  });

  it("learns each Herald's ticket clock", async () => {
    const h = await herald();
    h.answer = () => feedbackReply({ nowMs: performance.now() + 5_000 });
    const r = reporter({ heralds: [h.url] });
    await r.flush();
    expect(Math.abs(r.ticketClockOffsetMs('h1')! - 5_000)).toBeLessThan(100);
    expect(r.ticketClockOffsetMs('nobody')).toBeUndefined();
  });

  it('reports tickets of Heralds that have answered, and nothing that clients make up', async () => {
    const h = await herald();
    const words = ['!', '__proto__', ...Array.from({ length: 70 }, (_, i) => `nobody-${i}`)];
    const madeUp = Object.fromEntries(words.map((word) => [word, { admitted: 1 }]));
    const tickets = { ...madeUp, h1: { admitted: 3 } };
    const r = reporter({ heralds: [h.url], counters: () => ({ connections: 3, tickets }) });
    await r.flush();
    await r.flush();
    expect(h.reports().at(-1)).toMatchObject({ tickets: { h1: { admitted: 3 } } });
    for (const report of h.reports()) expect(decodeLoadReport(report)).toMatchObject({ ok: true });
  });

  it('lets own signals replace or remove measured ones', async () => {
    const h = await herald();
    const r = reporter({
      heralds: [h.url],
      signals: () => ({ cpu: 0.42, messagesPerSec: 7, eventLoop: undefined, memory: undefined }),
    });
    await r.flush();
    const last = h.reports().at(-1)!;
    expect(last).toMatchObject({ cpu: 0.42, messagesPerSec: 7 });
    expect(last).not.toHaveProperty('eventLoop');
    expect(last).not.toHaveProperty('memory');
  });

  it('tells a change of state at once', async () => {
    const h = await herald();
    h.answer = () => feedbackReply({ periodMs: 60_000 });
    const r = reporter({ heralds: [h.url] });
    await r.flush();
    r.setState('draining');
    await until('the state is told', () => h.reports().at(-1)?.['state'] === 'draining');
  });

  it('refuses to start with options that no Herald would take, and says which', () => {
    expect(() => reporter({ heralds: ['http://127.0.0.1:9'], url: 'http://no' })).toThrow(
      /url: received "http:\/\/no"/,
    );
    expect(() => reporter({ heralds: ['ftp://x'] })).toThrow(/ftp:\/\/x/);
  });
});
