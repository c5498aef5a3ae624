import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogSink } from '../../../src/daemon/log-sink.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A stderr that takes what it is told to take. */
function played() {
  const written: Buffer[] = [];
  let pending: (() => void) | undefined;
  const stderr = {
    takes: 'all' as 'all' | 'nothing' | 'half' | 'refuses',
    text: () => Buffer.concat(written).toString(),
    take: () => pending?.(),
    put(bytes: Buffer, done: (error: Error | null, written: number) => void): void {
      if (stderr.takes === 'refuses') {
        done(new Error('ENOSPC'), 0);
        return;
      }
      const finish = (): void => {
        const length = stderr.takes === 'half' ? Math.ceil(bytes.length / 2) : bytes.length;
        written.push(bytes.subarray(0, length));
        done(null, length);
      };
      if (stderr.takes === 'nothing') pending = finish;
      else finish();
    },
    putNow: (bytes: Buffer) => void written.push(bytes),
  };
  const dropped: number[] = [];
  const sink = new LogSink(stderr, (lines) => {
    dropped.push(lines);
    sink.write(`dropped ${lines}\n`);
  });
  return { stderr, sink, dropped };
}

describe('the log sink', () => {
  it('writes lines whole and in order, however few bytes are taken at a time', () => {
    const { stderr, sink } = played();
    stderr.takes = 'half';
    for (const line of ['one\n', 'two\n', 'drei: ß\n']) sink.write(line);
    expect(stderr.text()).toBe('one\ntwo\ndrei: ß\n');
  });

  it('keeps lines while the disk is full and writes them when there is room', () => {
    const { stderr, sink, dropped } = played();
    stderr.takes = 'refuses';
    sink.write('one\n');
    sink.write('two\n');
    vi.advanceTimersByTime(5_000);
    expect(stderr.text()).toBe('');
    stderr.takes = 'all';
    vi.advanceTimersByTime(1_000);
    expect(stderr.text()).toBe('one\ntwo\n');
    sink.write('three\n');
    expect(stderr.text()).toBe('one\ntwo\nthree\n');
    expect(dropped).toEqual([]);
  });

  it('drops what does not fit, and says how many lines once there is room', () => {
    const { stderr, sink, dropped } = played();
    stderr.takes = 'nothing';
    const line = `${'x'.repeat(1_023)}\n`;
    // One is taken and not written yet, 1,024 wait.
    for (let sent = 0; sent < 1 + 1_024 + 7; sent++) sink.write(line);
    expect(dropped).toEqual([]);
    stderr.takes = 'all';
    stderr.take();
    expect(dropped).toEqual([7]);
    expect(stderr.text()).toBe(`${line.repeat(1_025)}dropped 7\n`);
  });

  it('at the end writes what waits, and not again what is being written', () => {
    const { stderr, sink } = played();
    stderr.takes = 'nothing';
    sink.write('being written\n');
    sink.write('waits\n');
    sink.flush();
    expect(stderr.text()).toBe('waits\n');
  });
});
