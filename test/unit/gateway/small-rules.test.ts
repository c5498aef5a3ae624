import { describe, expect, it } from 'vitest';
import { deriveKey } from '../../../src/daemon/secrets.ts';
import { TicketKey, verifyTicket } from '../../../src/daemon/ticket-key.ts';
import type { AdmissionParts } from '../../../src/gateway/core/admission.ts';
import { Admission } from '../../../src/gateway/core/admission.ts';
import { chooseMoves, REST_AFTER_MOVE_MS } from '../../../src/gateway/core/choose-moves.ts';
import { CloseAudit, closeCause, KEPT_CLOSES } from '../../../src/gateway/core/close-audit.ts';
import { BufferSum } from '../../../src/gateway/core/buffer-sum.ts';
import { ClosePlan } from '../../../src/gateway/core/close-plan.ts';
import { DeadlineQueue } from '../../../src/gateway/core/deadline-queue.ts';
import { acceptableOffer } from '../../../src/gateway/core/deflate-offer.ts';
import { originAllowed, ticketOf } from '../../../src/gateway/core/handshake.ts';
import { PingWheel } from '../../../src/gateway/core/ping-wheel.ts';
import { admitFrame, freshRate } from '../../../src/gateway/core/rate-limit.ts';
import { judgeBacklog } from '../../../src/gateway/core/slow-consumer.ts';
import { parseNumberRules, TopicRules } from '../../../src/gateway/core/topic-rules.ts';
import { VirtualLoad } from '../../../src/gateway/core/virtual-capacity.ts';
import { WindowedRate } from '../../../src/gateway/core/windowed-rate.ts';
import { encodeTicket, TICKET_TTL_MS } from '../../../src/protocol/ticket.ts';

describe('admission', () => {
  const keys = ['new secret of 16+', 'old secret of 16+'].map((secret) => deriveKey(secret, 'ticket', 'gw'));
  const ticket = (key: Buffer, seq: number, issuedMs: number, heraldId = 'h1'): string => {
    const mac = new TicketKey(key, heraldId).signOne(seq, issuedMs);
    return encodeTicket({ heraldId, seq, issuedMs, mac });
  };
  const admission = (more: Partial<AdmissionParts> = {}): Admission =>
    new Admission({
      isSigned: (one) => keys.some((key) => verifyTicket(key, one)),
      clockOffsetMs: (heraldId) => (heraldId === 'h1' ? 50_000 : undefined),
      required: false,
      ...more,
    });

  it('spends a fresh ticket once and counts it for its Herald', () => {
    const door = admission();
    const text = ticket(keys[0]!, 7, 50_000);
    expect(door.judge(text, 1_000)).toBe('fresh');
    expect(door.judge(text, 1_001)).toBe('used');
    expect(door.judge(ticket(keys[1]!, 8, 50_000), 1_001)).toBe('fresh');
    expect(door.admitted()).toEqual({ h1: { admitted: 2 } });
  });

  it('judges the age on the clock of the Herald that issued it', () => {
    const judged = (issuedMs: number): string => admission().judge(ticket(keys[0]!, 1, issuedMs), 100_000);
    expect(judged(150_000)).toBe('fresh');
    expect(judged(150_000 - TICKET_TTL_MS)).toBe('fresh');
    expect(judged(150_000 - TICKET_TTL_MS - 3_000)).toBe('expired');
    expect(judged(153_000)).toBe('expired');
  });

  it('remembers a spent ticket for as long as it could be used again', () => {
    const door = admission();
    const text = ticket(keys[0]!, 1, 50_000);
    expect(door.judge(text, 0)).toBe('fresh');
    for (let ms = 1_000; ms <= TICKET_TTL_MS; ms += 1_000) {
      door.judge(ticket(keys[0]!, ms, 50_000 + ms), ms);
      expect(door.judge(text, ms)).toBe('used');
    }
  });

  it('counts a ticket of a Herald whose clock it does not know yet only where tickets are hints', () => {
    expect(admission().judge(ticket(keys[0]!, 1, 0, 'h2'), 0)).toBe('fresh');
    const strict = admission({ required: true });
    expect(strict.judge(ticket(keys[0]!, 1, 0, 'h2'), 0)).toBe('unknown-herald');
    expect(strict.lets('unknown-herald')).toBe(false);
    expect(strict.lets('fresh')).toBe(true);
  });

  it('never reports more Heralds than a report may name', () => {
    const door = admission();
    for (let i = 0; i < 100; i++) door.judge(ticket(keys[0]!, i, 0, `herald-${i}`), 0);
    expect(Object.keys(door.admitted())).toHaveLength(64);
    expect(door.admitted()).toHaveProperty('herald-99');
  });

  it.each([
    [undefined, 'none'],
    ['', 'none'],
    ['nonsense', 'malformed'],
    [ticket(deriveKey('another secret 16', 'ticket', 'gw'), 1, 50_000), 'forged'],
  ])('says %s is %s', (text, verdict) => {
    expect(admission().judge(text, 0)).toBe(verdict);
  });
});

describe('the handshake', () => {
  it('finds the ticket among the subprotocols or in Authorization', () => {
    expect(ticketOf(['herald.v1.json', 'herald.ticket.t1.h.1.1.abc'], undefined)).toBe('t1.h.1.1.abc');
    expect(ticketOf(['herald.v1.json'], 'Bearer t1.h.1.1.abc')).toBe('t1.h.1.1.abc');
    expect(ticketOf(['herald.v1.json'], 'Bearer something-else')).toBeUndefined();
    expect(ticketOf([], undefined)).toBeUndefined();
  });

  it.each([
    [undefined, ['https://a.example'], true],
    ['https://a.example', ['https://a.example'], true],
    ['HTTPS://A.example', ['https://a.example'], true],
    ['https://a.example.evil.net', ['https://a.example'], false],
    ['null', ['https://a.example'], false],
    ['https://b.example', ['*'], true],
  ])('origin %s against %j: %s', (origin, allowed, verdict) => {
    expect(originAllowed(origin, allowed)).toBe(verdict);
  });

  it.each([
    ['permessage-deflate', 'permessage-deflate'],
    ['permessage-deflate; client_max_window_bits', 'permessage-deflate; client_max_window_bits'],
    ['permessage-deflate; server_max_window_bits=15', 'permessage-deflate; server_max_window_bits=15'],
    ['permessage-deflate; server_max_window_bits=10', undefined],
    ['permessage-deflate; server_max_window_bits=10, permessage-deflate', 'permessage-deflate'],
    ['permessage-deflate; unheard_of', undefined],
    ['permessage-deflate; client_max_window_bits=7', undefined],
    ['permessage-deflate; client_no_context_takeover; client_no_context_takeover', undefined],
    ['x-webkit-deflate-frame', undefined],
    ['', undefined],
  ])('takes of the offer %j: %j', (header, taken) => {
    expect(acceptableOffer(header)).toBe(taken);
  });
});

describe('slow consumers', () => {
  const limits = { softBytes: 100, hardBytes: 1_000, softForMs: 50 };
  it.each([
    [100, 0, undefined, 0, 'fine'],
    [101, 0, undefined, 0, 'slow'],
    [101, 0, 0, 49, 'slow'],
    [101, 0, 0, 50, 'too-slow'],
    [50, 0, 0, 5_000, 'fine'],
    [1_001, 0, undefined, 0, 'too-slow'],
    // A replay of ten times the soft limit has eleven times as long, with or without news behind it.
    [1_000, 1_000, 0, 549, 'slow'],
    [1_000, 1_000, 0, 550, 'too-slow'],
    [2_000, 1_000, 0, 549, 'slow'],
    [2_001, 1_000, 0, 0, 'too-slow'],
  ] as const)(
    '%d bytes, %d of a replay, over since %s, at %d ms: %s',
    (bytes, replay, since, nowMs, verdict) => {
      expect(judgeBacklog(bytes, replay, since, nowMs, limits)).toBe(verdict);
    },
  );
});

describe('the rate limit', () => {
  it('lets a burst of two seconds pass, then its rate, and never saves up more', () => {
    const state = freshRate(10, 0);
    const take = (nowMs: number): number => {
      let taken = 0;
      while (admitFrame(state, 10, nowMs)) taken += 1;
      return taken;
    };
    expect(take(0)).toBe(20);
    expect(take(500)).toBe(5);
    expect(take(500)).toBe(0);
    expect(take(3_600_000)).toBe(20);
  });
});

describe('the ping wheel', () => {
  it('visits each member once a turn, also after others left', () => {
    let seed = 1;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const wheel = new PingWheel<{ slot: number; indexInSlot: number; name: number }>(10, random);
    const members = Array.from({ length: 100 }, (_, name) => ({ slot: -1, indexInSlot: 0, name }));
    for (const member of members) wheel.add(member);
    for (const member of members) if (member.name % 3 === 0) wheel.remove(member);
    wheel.remove(members[0]!);
    const seen = Array.from({ length: 10 }, () => wheel.turn()).flat();
    const expected = members.filter(({ name }) => name % 3 !== 0);
    expect(seen.map(({ name }) => name).sort()).toEqual(expected.map(({ name }) => name).sort());
    expect(seen).toHaveLength(new Set(seen).size);
  });
});

describe('the sum of what waits for clients', () => {
  it('is that of all of them after a round, each looked at once', () => {
    let looks = 0;
    const members = Array.from({ length: 13 }, (_, i) => ({
      get bufferedBytes() {
        looks += 1;
        return i;
      },
    }));
    const sum = new BufferSum(members, 5);
    for (let turn = 1; turn <= 4; turn++) {
      sum.turn();
      expect([sum.bytes, looks]).toEqual([0, 3 * turn]);
    }
    sum.turn();
    expect([sum.bytes, looks]).toEqual([78, 13]);
  });

  it('goes on when many leave in the middle of a round, and is nothing when all did', () => {
    const members = Array.from({ length: 10 }, () => ({ bufferedBytes: 1 }));
    const sum = new BufferSum(members, 5);
    for (let turn = 0; turn < 5; turn++) sum.turn();
    expect(sum.bytes).toBe(10);
    sum.turn();
    sum.turn();
    members.length = 1;
    for (let turn = 0; turn < 2; turn++) sum.turn();
    expect(sum.bytes).toBe(1);
    members.length = 0;
    sum.turn();
    expect(sum.bytes).toBe(0);
  });
});

describe('the deadline queue', () => {
  it('returns in order what has run out of time', () => {
    const queue = new DeadlineQueue<string>(100);
    queue.add('a', 0);
    queue.add('b', 50);
    expect(queue.takeDue(99)).toEqual([]);
    expect(queue.takeDue(100)).toEqual(['a']);
    queue.add('c', 100);
    expect(queue.takeDue(500)).toEqual(['b', 'c']);
    expect(queue.takeDue(1_000)).toEqual([]);
  });
});

describe('the close plan', () => {
  it('hands out closes when they are due, and none after it was cleared', () => {
    const plan = new ClosePlan<string>();
    plan.add([
      { item: 'late', atMs: 20, code: 1 },
      { item: 'soon', atMs: 10, code: 1 },
    ]);
    plan.add([{ item: 'middle', atMs: 15, code: 2 }]);
    expect(plan.takeDue(15).map(({ item }) => item)).toEqual(['soon', 'middle']);
    expect(plan.size).toBe(1);
    plan.clear();
    expect(plan.takeDue(100)).toEqual([]);
  });
});

describe('choosing who moves', () => {
  let seed = 7;
  const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const fleet = (loads: number[], movedMs = -Infinity): { load: () => number; movedMs: number }[] =>
    loads.map((load) => ({ load: () => load, movedMs }));

  it('prefers heavy connections and stops at the work ordered', () => {
    const connections = fleet(Array.from({ length: 1_000 }, (_, i) => (i < 100 ? 0.01 : 0.0001)));
    const chosen = chooseMoves(connections, { count: 1_000, work: 0.2 }, 0, random);
    const moved = chosen.reduce((sum, one) => sum + one.load(), 0);
    expect(moved).toBeGreaterThan(0.19);
    expect(moved).toBeLessThanOrEqual(0.21);
    expect(chosen.filter((one) => one.load() === 0.01).length).toBeGreaterThan(15);
  });

  it('moves nobody heavier than half of what is left', () => {
    const chosen = chooseMoves(fleet([0.6, 0.6, 0.1]), { count: 3, work: 1 }, 0, random);
    expect(chosen.map((one) => one.load())).toEqual([0.1]);
  });

  it('leaves alone who moved in the last ten minutes', () => {
    expect(
      chooseMoves(fleet([1, 1], 0), { count: 2, work: undefined }, REST_AFTER_MOVE_MS - 1, random),
    ).toEqual([]);
    expect(
      chooseMoves(fleet([1, 1], 0), { count: 2, work: undefined }, REST_AFTER_MOVE_MS, random),
    ).toHaveLength(2);
  });

  it('moves nobody twice and never more than ordered', () => {
    const chosen = chooseMoves(
      fleet(Array.from({ length: 50 }, () => 1)),
      { count: 40, work: undefined },
      0,
      random,
    );
    expect(new Set(chosen).size).toBe(40);
    expect(chooseMoves([], { count: 5, work: 1 }, 0, random)).toEqual([]);
  });
});

describe('virtual capacity', () => {
  it('is tokens used over tokens allowed in the last two seconds, plus the neighbour', () => {
    const virtual = new VirtualLoad({ capacity: 2, tokensPerSec: 100, messageTokens: 1, acceptTokens: 10 });
    expect(virtual.load(0, 0, 0)).toBe(0);
    expect(virtual.load(80, 2, 1_000)).toBeCloseTo(100 / 200);
    virtual.extraLoad = 0.4;
    expect(virtual.load(80, 2, 2_000)).toBeCloseTo(50 / 200 + 0.4);
    expect(virtual.load(80, 2, 10_000)).toBeCloseTo(0.4);
  });
});

describe('a windowed rate', () => {
  it('speaks of the last two seconds', () => {
    const rate = new WindowedRate();
    expect(rate.perSec(100, 0)).toBe(0);
    for (let ms = 100; ms <= 5_000; ms += 100) rate.perSec(100 + ms, ms);
    expect(rate.perSec(100 + 5_000, 6_000)).toBeCloseTo(500);
  });
});

describe('topic rules', () => {
  it('take the longest prefix that fits', () => {
    const rules = new TopicRules(parseNumberRules(['a.=1', 'a.b.=2', 'x=y=3'], 0, 10)!, 9);
    expect(['a.c', 'a.b.c', 'x=y.z', 'other'].map((topic) => rules.of(topic))).toEqual([1, 2, 3, 9]);
  });

  it.each(['a', 'a=', 'a=x', 'a=11', 'a=-1', '='])('refuse %j', (item) => {
    expect(parseNumberRules([item], 0, 10)).toBeUndefined();
  });
});

describe('the close audit', () => {
  it('keeps the last thousand, newest first, and counts all by cause', () => {
    const audit = new CloseAudit();
    for (let i = 0; i < KEPT_CLOSES + 5; i++) {
      audit.add({ conn: String(i), cause: 'shutdown', code: 4204, atEpochMs: 0, livedMs: 0, messages: 0 });
    }
    expect(audit.last()).toHaveLength(KEPT_CLOSES);
    expect(audit.last(2).map(({ conn }) => conn)).toEqual(['1004', '1003']);
    expect(audit.byCause.get('shutdown')).toBe(KEPT_CLOSES + 5);
  });

  it.each([
    [4101, true, 'slow-consumer'],
    [4204, true, 'shutdown'],
    [1000, true, 'client-left'],
    [1000, false, 'client-left'],
    [1006, false, 'connection-lost'],
    [1009, true, 'ws-1009'],
    [1009, false, 'client-code'],
    [3000, false, 'client-code'],
    [4101, false, 'client-code'],
  ])('calls %d, ours: %s, %s', (code, isOurs, cause) => {
    expect(closeCause(code, isOurs)).toBe(cause);
  });
});
