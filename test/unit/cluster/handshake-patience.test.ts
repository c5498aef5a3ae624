import { describe, expect, it } from 'vitest';
import { HandshakePatience } from '../../../src/cluster/handshake-patience.ts';

const SERVERS = ['a', 'b', 'c'];
/** Waits of so many rounds over three servers of which those named leave handshakes unanswered. */
const waits = (patience: HandshakePatience, rounds: number, ...mute: string[]): number[] =>
  Array.from({ length: rounds }, () => {
    const { waitMs } = patience;
    for (const server of SERVERS) patience.failed(server, mute.includes(server));
    return waitMs;
  });

describe('patience with handshakes', () => {
  it('stays short while most servers are down: the others can have no quorum', () => {
    expect(waits(new HandshakePatience(3, 2_000), 8, 'c')).toEqual(new Array(8).fill(500));
  });

  it('grows to the whole deadline while most servers are mute, as they may be slow, and begins again', () => {
    const patience = new HandshakePatience(3, 2_000);
    expect(waits(patience, 6, 'a', 'b')).toEqual([500, 500, 1_000, 1_000, 2_000, 500]);
  });

  it('is short again for servers that begin to look for their quorum after a long outage', () => {
    const patience = new HandshakePatience(3, 2_000);
    waits(patience, 50, 'c');
    expect(waits(patience, 2, 'a', 'c')).toEqual([500, 500]);
  });

  it('is short again after a connection', () => {
    const patience = new HandshakePatience(3, 2_000);
    waits(patience, 4, ...SERVERS);
    expect(patience.waitMs).toBe(2_000);
    patience.connected();
    expect(waits(patience, 2, ...SERVERS)).toEqual([500, 500]);
  });

  it('gives a single server the whole deadline', () => {
    const patience = new HandshakePatience(1, 2_000);
    patience.failed('a', true);
    expect(patience.waitMs).toBe(2_000);
  });
});
