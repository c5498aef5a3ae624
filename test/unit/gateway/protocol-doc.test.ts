import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeClientIn } from '../../../src/protocol/client-frames.ts';
import { decodeClientOut } from '../../../src/protocol/client-out-frames.ts';
import { CLOSE } from '../../../src/protocol/close-codes.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../../docs/protocol.md'), 'utf8');

function examples(side: 'client' | 'gateway'): string[] {
  return [...PAGE.matchAll(new RegExp(`^\`\`\`json ${side}\\n([^]*?)^\`\`\``, 'gm'))].flatMap((block) =>
    block[1]!.trim().split('\n'),
  );
}

const opsOf = (frames: readonly string[]): string[] =>
  [...new Set(frames.map((frame) => (JSON.parse(frame) as { op: string }).op))].sort();

describe('docs/protocol.md', () => {
  it('shows every op of both directions', () => {
    expect(opsOf(examples('client'))).toEqual(['bye', 'hello', 'ping', 'pong', 'pub', 'sub', 'unsub']);
    expect(opsOf(examples('gateway'))).toEqual(
      ['bye', 'err', 'gap', 'move', 'msg', 'ok', 'ping', 'pong', 'welcome'].sort(),
    );
  });

  it.each(examples('client'))('has a frame a gateway takes: %s', (frame) => {
    const { op } = JSON.parse(frame) as { op: string };
    expect(decodeClientIn(frame)).toMatchObject({ ok: true, value: { op } });
  });

  it.each(examples('gateway'))('has a frame a client takes: %s', (frame) => {
    expect(decodeClientOut(frame)).toEqual({ ok: true, value: JSON.parse(frame) });
  });

  it('lists every close code with its name', () => {
    const listed = Object.fromEntries(
      [...PAGE.matchAll(/^\| (4\d{3}) \| (\w+) \|/gm)].map((row) => [row[2], Number(row[1])]),
    );
    expect(listed).toEqual(CLOSE);
  });
});
