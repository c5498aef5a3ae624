// The table of what a message's payload may be: UTF-8 (RFC 6455 section 8.1) and permessage-deflate (RFC 7692).

import { constants, deflateRawSync } from 'node:zlib';
import { rawFrame } from '../../launch/raw-ws.ts';
import type { ProtocolCase } from './case-shape.ts';
import { one, PING, pingOf, text } from './case-shape.ts';

/** Without the empty block at the end (RFC 7692 section 7.2.1). */
const deflated = (payload: string | Buffer): Buffer =>
  deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

/** From Markus Kuhn's list of malformed sequences, and the edges of Unicode. */
function utf8(): ProtocolCase[] {
  const broken: Record<string, number[]> = {
    'lone continuation': [0x80],
    'last continuation': [0xbf],
    'two continuations': [0x80, 0xbf],
    'start without continuation': [0xc3],
    'start then ASCII': [0xc3, 0x28],
    'overlong slash, 2 bytes': [0xc0, 0xaf],
    'overlong slash, 3 bytes': [0xe0, 0x80, 0xaf],
    'overlong slash, 4 bytes': [0xf0, 0x80, 0x80, 0xaf],
    'overlong NUL': [0xc0, 0x80],
    'overlong 7f': [0xc1, 0xbf],
    'overlong 7ff': [0xe0, 0x9f, 0xbf],
    'overlong ffff': [0xf0, 0x8f, 0xbf, 0xbf],
    'surrogate d800': [0xed, 0xa0, 0x80],
    'surrogate dfff': [0xed, 0xbf, 0xbf],
    'surrogate pair': [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80],
    'above 10ffff': [0xf4, 0x90, 0x80, 0x80],
    '5-byte form': [0xf8, 0x88, 0x80, 0x80, 0x80],
    '6-byte form': [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80],
    'byte fe': [0xfe],
    'byte ff': [0xff],
    '3 bytes cut short': [0xe2, 0x82],
    '4 bytes cut short': [0xf0, 0x9f, 0x98],
  };
  const fine = [
    '\u007f',
    '\u0080',
    '\u07ff',
    '\u0800',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '\u{10000}',
    '\u{10ffff}',
    '😀',
  ];
  const inJson = (bytes: readonly number[]): Buffer =>
    Buffer.concat([Buffer.from('{"op":"ping","x":"'), Buffer.from(bytes), Buffer.from('"}')]);
  return [
    ...Object.entries(broken).map(([name, bytes]) => ({
      name: `UTF-8: ${name}`,
      bytes: one({ opcode: 1, payload: inJson(bytes) }),
      expect: 1007,
    })),
    ...Object.entries(broken).map(([name, bytes]) => {
      const payload = inJson(bytes);
      return {
        name: `UTF-8 across fragments: ${name}`,
        bytes: [
          rawFrame({ opcode: 1, fin: false, payload: payload.subarray(0, 19) }),
          rawFrame({ opcode: 0, payload: payload.subarray(19) }),
        ],
        expect: 1007,
      };
    }),
    ...fine.map((character) => ({
      name: `UTF-8: character ${character.codePointAt(0)!.toString(16)}`,
      bytes: one(text(`{"op":"ping","x":"${character}"}`)),
      expect: 'alive' as const,
      answer: { op: 'pong' },
    })),
  ];
}

function compressed(): ProtocolCase[] {
  const ping = deflated(JSON.stringify(PING));
  return [
    {
      name: 'compressed message',
      deflate: true,
      bytes: one({ opcode: 1, rsv: 4, payload: ping }),
      expect: 'alive',
      answer: { op: 'pong' },
    },
    {
      name: 'compressed message in fragments',
      deflate: true,
      bytes: [
        rawFrame({ opcode: 1, rsv: 4, fin: false, payload: ping.subarray(0, 3) }),
        rawFrame({ opcode: 0, payload: ping.subarray(3) }),
      ],
      expect: 'alive',
      answer: { op: 'pong' },
    },
    {
      name: 'uncompressed message after the extension was agreed',
      deflate: true,
      bytes: one(text(PING)),
      expect: 'alive',
      answer: { op: 'pong' },
    },
    {
      name: 'rsv1 on a continuation',
      deflate: true,
      bytes: [
        rawFrame({ opcode: 1, rsv: 4, fin: false, payload: ping.subarray(0, 3) }),
        rawFrame({ opcode: 0, rsv: 4, payload: ping.subarray(3) }),
      ],
      expect: 1002,
    },
    ...[8, 9, 10].map((opcode) => ({
      name: `rsv1 on control frame ${opcode}`,
      deflate: true,
      bytes: one({ opcode, rsv: 4 }),
      expect: 1002,
    })),
    ...[1, 2].map((rsv) => ({
      name: `rsv bits ${rsv} with the extension`,
      deflate: true,
      bytes: one({ opcode: 1, rsv, payload: ping }),
      expect: 1002,
    })),
    {
      name: 'garbage as compressed data',
      deflate: true,
      bytes: one({ opcode: 1, rsv: 4, payload: Buffer.from([0xff, 0xff, 0xff, 0xff]) }),
      expect: 1007,
    },
    {
      name: 'compressed broken UTF-8',
      deflate: true,
      bytes: one({ opcode: 1, rsv: 4, payload: deflated(Buffer.from([0x22, 0xc3, 0x22])) }),
      expect: 1007,
    },
    {
      name: 'a bomb: 10 MB in a small frame',
      deflate: true,
      bytes: one({ opcode: 1, rsv: 4, payload: deflated(Buffer.alloc(10_000_000, 'x')) }),
      expect: 1009,
    },
    {
      name: 'compressed to exactly the limit',
      deflate: true,
      bytes: one({ opcode: 1, rsv: 4, payload: deflated(pingOf(65_536)) }),
      expect: 'alive',
      answer: { op: 'pong' },
    },
    {
      name: 'compressed to one byte above the limit',
      deflate: true,
      bytes: one({ opcode: 1, rsv: 4, payload: deflated(pingOf(65_537)) }),
      expect: 1009,
    },
  ];
}

export const PAYLOAD_CASES: readonly ProtocolCase[] = [...utf8(), ...compressed()];
