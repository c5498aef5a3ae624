// The table of frame cases: RFC 6455 sections 5 to 7, sent over a raw socket after the upgrade.

import { rawFrame } from '../../launch/raw-ws.ts';
import type { ProtocolCase } from './case-shape.ts';
import { closeFrame, one, PING, pingOf, text } from './case-shape.ts';

function opcodes(): ProtocolCase[] {
  const reserved = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];
  return [
    ...reserved.flatMap((opcode) =>
      [true, false].map((fin) => ({
        name: `reserved opcode ${opcode}, fin ${fin}`,
        bytes: one({ opcode, fin, payload: 'x' }),
        expect: 1002,
      })),
    ),
    { name: 'binary message', bytes: one({ opcode: 2, payload: '{"op":"ping"}' }), expect: 1003 },
    { name: 'empty binary message', bytes: one({ opcode: 2 }), expect: 1003 },
    { name: 'empty text message', bytes: one({ opcode: 1 }), expect: 4000 },
    { name: 'continuation with nothing to continue', bytes: one({ opcode: 0, payload: 'x' }), expect: 1002 },
    { name: 'unfinished continuation of nothing', bytes: one({ opcode: 0, fin: false }), expect: 1002 },
  ];
}

function reservedBits(): ProtocolCase[] {
  return [1, 2, 3, 4, 5, 6, 7].flatMap((rsv) =>
    [0, 1, 2, 8, 9, 10].map((opcode) => ({
      name: `rsv bits ${rsv.toString(2).padStart(3, '0')} on opcode ${opcode} without an extension`,
      bytes: one({ opcode, rsv, payload: '' }),
      expect: 1002,
    })),
  );
}

function masks(): ProtocolCase[] {
  const unmasked = [0, 1, 2, 8, 9, 10].flatMap((opcode) =>
    [0, 5].map((length) => ({
      name: `unmasked opcode ${opcode} of ${length} bytes`,
      bytes: one({ opcode, mask: false, payload: 'x'.repeat(length) }),
      expect: 1002,
    })),
  );
  const good = [
    [0, 0, 0, 0],
    [255, 255, 255, 255],
    [0, 0, 0, 1],
    [128, 0, 0, 0],
    [34, 34, 34, 34],
  ].map((mask) => ({
    name: `mask ${mask.join('.')}`,
    bytes: one({ ...text(PING), mask: Buffer.from(mask) }),
    expect: 'alive' as const,
    answer: { op: 'pong' },
  }));
  return [...unmasked, ...good];
}

function lengths(): ProtocolCase[] {
  const whole = [22, 100, 124, 125, 126, 127, 128, 255, 256, 1_000, 65_534, 65_535, 65_536].map((length) => ({
    name: `message of ${length} bytes`,
    bytes: one({ opcode: 1, payload: pingOf(length) }),
    expect: 'alive' as const,
    answer: { op: 'pong' },
  }));
  const tooLong = [65_537, 65_600, 70_000, 100_000, 131_072].map((length) => ({
    name: `message of ${length} bytes`,
    bytes: one({ opcode: 1, payload: pingOf(length) }),
    expect: 1009,
  }));
  const claimed = [
    65_537n,
    2n ** 20n,
    2n ** 31n,
    2n ** 32n - 1n,
    2n ** 32n,
    2n ** 53n - 1n,
    2n ** 53n,
    2n ** 63n - 1n,
    2n ** 63n,
    2n ** 64n - 1n,
  ].map((claimedLength) => ({
    name: `length field that says ${claimedLength}`,
    bytes: one({ opcode: 1, payload: 'x', lengthBytes: 8 as const, claimedLength }),
    expect: 1009,
  }));
  // Not the shortest form. RFC 6455 asks senders for it; the package reads the longer ones too.
  const long = ([2, 8] as const).flatMap((lengthBytes) =>
    [13, 100].map((length) => ({
      name: `length ${length} in ${lengthBytes} bytes`,
      bytes: one({ opcode: 1, payload: length === 13 ? JSON.stringify(PING) : pingOf(length), lengthBytes }),
      expect: 'alive' as const,
      answer: { op: 'pong' },
    })),
  );
  const split = [40_000, 70_000].map((total) => ({
    name: `fragments of ${total} bytes together`,
    bytes: [
      rawFrame({ opcode: 1, fin: false, payload: pingOf(total).slice(0, total / 2) }),
      rawFrame({ opcode: 0, payload: pingOf(total).slice(total / 2) }),
    ],
    expect: total > 65_536 ? 1009 : ('alive' as const),
  }));
  return [...whole, ...tooLong, ...claimed, ...long, ...split];
}

function fragments(): ProtocolCase[] {
  const payload = JSON.stringify({ op: 'ping', note: 'grüße' });
  const bytes = Buffer.from(payload);
  const cutAt = (...cuts: number[]): Buffer[] => {
    const edges = [0, ...cuts, bytes.length];
    return edges.slice(1).map((end, i) =>
      rawFrame({
        opcode: i === 0 ? 1 : 0,
        fin: i === edges.length - 2,
        payload: bytes.subarray(edges[i], end),
      }),
    );
  };
  const cut: ProtocolCase[] = Array.from({ length: bytes.length + 1 }, (_, at) => ({
    name: `text cut into two fragments at byte ${at}`,
    bytes: cutAt(at),
    expect: 'alive',
    answer: { op: 'pong' },
  }));
  const interleaved = [9, 10].map((opcode) => ({
    name: `control frame ${opcode} between fragments`,
    bytes: [cutAt(5)[0]!, rawFrame({ opcode, payload: 'mid' }), cutAt(5)[1]!],
    expect: 'alive' as const,
    answer: { op: 'pong' },
  }));
  return [
    ...cut,
    ...interleaved,
    { name: 'many fragments', bytes: cutAt(1, 2, 3, 4, 5, 6, 7, 8), expect: 'alive', answer: { op: 'pong' } },
    {
      name: 'empty fragments in between',
      bytes: cutAt(3, 3, 3, 9, 9),
      expect: 'alive',
      answer: { op: 'pong' },
    },
    { name: 'new text inside a fragmented one', bytes: [cutAt(4)[0]!, rawFrame(text(PING))], expect: 1002 },
    { name: 'binary inside a fragmented text', bytes: [cutAt(4)[0]!, rawFrame({ opcode: 2 })], expect: 1002 },
    { name: 'close inside a fragmented text', bytes: [cutAt(4)[0]!, closeFrame(1000)], expect: 1000 },
    {
      name: 'fragment with an rsv bit',
      bytes: [cutAt(4)[0]!, rawFrame({ opcode: 0, rsv: 4, payload: 'x' })],
      expect: 1002,
    },
    {
      name: 'two hundred empty fragments',
      bytes: [cutAt(4)[0]!, ...Array.from({ length: 200 }, () => rawFrame({ opcode: 0, fin: false }))],
      expect: 1008,
    },
    {
      name: 'fragmented binary',
      bytes: [rawFrame({ opcode: 2, fin: false, payload: 'a' }), rawFrame({ opcode: 0, payload: 'b' })],
      expect: 1003,
    },
    {
      name: 'several messages in one segment',
      bytes: [Buffer.concat([rawFrame(text(PING)), rawFrame(text({ op: 'sub', id: 5, c: ['a'] }))])],
      expect: 'alive',
      answer: { op: 'ok', id: 5 },
    },
  ];
}

function controls(): ProtocolCase[] {
  const oversized = [8, 9, 10].flatMap((opcode) =>
    [126, 200, 65_536].map((length) => ({
      name: `control frame ${opcode} of ${length} bytes`,
      bytes: one({ opcode, payload: 'x'.repeat(length) }),
      expect: 1002,
    })),
  );
  const cut = [8, 9, 10].map((opcode) => ({
    name: `fragmented control frame ${opcode}`,
    bytes: one({ opcode, fin: false, payload: '' }),
    expect: 1002,
  }));
  const fine = [0, 1, 64, 125].flatMap((length) =>
    [9, 10].map((opcode) => ({
      name: `control frame ${opcode} of ${length} bytes`,
      bytes: one({ opcode, payload: 'x'.repeat(length) }),
      expect: 'alive' as const,
      ...(opcode === 9 && { pong: 'x'.repeat(length) }),
    })),
  );
  return [...oversized, ...cut, ...fine];
}

function closes(): ProtocolCase[] {
  const good = [
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
  ];
  const bad = [0, 1, 500, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];
  return [
    ...good.map((code) => ({ name: `close with ${code}`, bytes: [closeFrame(code)], expect: code })),
    ...bad.map((code) => ({ name: `close with ${code}`, bytes: [closeFrame(code)], expect: 1002 })),
    { name: 'close without a code', bytes: one({ opcode: 8 }), expect: 1005 },
    { name: 'close with half a code', bytes: one({ opcode: 8, payload: 'x' }), expect: 1002 },
    { name: 'close with a reason', bytes: [closeFrame(1000, 'grüße')], expect: 1000 },
    { name: 'close with 123 bytes of reason', bytes: [closeFrame(1000, 'x'.repeat(123))], expect: 1000 },
    { name: 'close with 124 bytes of reason', bytes: [closeFrame(1000, 'x'.repeat(124))], expect: 1002 },
    { name: 'close with broken UTF-8', bytes: [closeFrame(1000, Buffer.from([0xc3]))], expect: 1007 },
    {
      name: 'frames after a close',
      bytes: [closeFrame(1000), rawFrame(text(PING)), rawFrame({ opcode: 15 })],
      expect: 1000,
    },
  ];
}

export const FRAME_CASES: readonly ProtocolCase[] = [
  ...opcodes(),
  ...reservedBits(),
  ...masks(),
  ...lengths(),
  ...fragments(),
  ...controls(),
  ...closes(),
];
