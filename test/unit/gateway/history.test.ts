import { describe, expect, it } from 'vitest';
import { History } from '../../../src/gateway/core/history.ts';
import { HistoryBudget } from '../../../src/gateway/core/history-budget.ts';

const limits = { maxMessages: 5, maxBytes: 10_000, maxAgeMs: 100 };
const budget = (): HistoryBudget => new HistoryBudget(1_000_000);
const text = (frame: Uint8Array): string => Buffer.from(frame).toString();
const frameOf = (name: string): Uint8Array => Buffer.from(name);

describe('a history', () => {
  const filled = (): History => {
    const history = new History(limits, budget());
    history.restart({ epoch: 'e', offset: 0 });
    for (let offset = 1; offset <= 4; offset++) history.push('e', offset, frameOf(`e${offset}`), 0);
    return history;
  };

  const after = (history: History, ...seen: [string, number][]): string[] | undefined =>
    history.unseen(new Map(seen))?.map(({ frame }) => text(frame));

  it.each([
    [0, ['e1', 'e2', 'e3', 'e4']],
    [2, ['e3', 'e4']],
    [4, []],
    [5, []],
  ])('gives all after offset %d', (offset, expected) => {
    expect(after(filled(), ['e', offset])).toEqual(expected);
  });

  it('gives nothing for a position it dropped what followed', () => {
    const history = filled();
    for (let offset = 5; offset <= 7; offset++) history.push('e', offset, frameOf(`e${offset}`), 0);
    expect(after(history, ['e', 1])).toBeUndefined();
    expect(after(history, ['e', 2])).toEqual(['e3', 'e4', 'e5', 'e6', 'e7']);
    expect(history.messages).toBe(5);
  });

  it('forgets by age and by bytes, and gives the budget back', () => {
    const shared = budget();
    const history = new History({ ...limits, maxBytes: 5 }, shared);
    history.restart({ epoch: 'e', offset: 0 });
    for (let offset = 1; offset <= 4; offset++) history.push('e', offset, frameOf(`e${offset}`), 0);
    expect(history.messages).toBe(2);
    expect(shared.usedBytes).toBe(4);
    history.trim(101);
    expect([history.messages, shared.usedBytes]).toEqual([0, 0]);
  });

  it('follows a topic across epochs, each as far as the client saw it', () => {
    const history = filled();
    for (const offset of [1, 2]) history.push('f', offset, frameOf(`f${offset}`), offset * 10);
    history.push('e', 5, frameOf('e5'), 30);
    expect(after(history, ['e', 3], ['f', 0])).toEqual(['e4', 'f1', 'f2', 'e5']);
    expect(after(history, ['e', 5], ['f', 1])).toEqual(['f2']);
    expect(text(history.last()!)).toBe('e5');
    // One that saw nothing of the other epoch may have missed what came lately.
    const frames = history.unseen(new Map([['e', 5]]), 20)?.map(({ frame }) => text(frame));
    expect(frames).toEqual(['f2']);
  });

  it('knows when a message passed here, also after it was dropped', () => {
    const history = filled();
    history.push('f', 1, frameOf('f1'), 50);
    expect([
      history.passedMs({ epoch: 'f', offset: 1 }),
      history.passedMs({ epoch: 'f', offset: 2 }),
    ]).toEqual([50, undefined]);
    history.trim(200);
    expect(history.passedMs({ epoch: 'e', offset: 4 })).toBe(0);
    expect(history.unseen(new Map([['e', 4]]), 60)).toEqual([]);
    expect(history.unseen(new Map([['e', 4]]), 40)).toBeUndefined();
  });

  it('remembers when what it dropped had passed, also where it begins anew behind it', () => {
    const history = filled();
    history.push('f', 1, frameOf('f1'), 50);
    history.restart({ epoch: 'f', offset: 1 });
    expect(history.passedMs({ epoch: 'f', offset: 1 })).toBe(50);
    expect(history.unseen(new Map([['e', 4]]), 49)).toBeUndefined();
    expect(history.unseen(new Map([['e', 4]]), 50)).toEqual([]);
  });

  it('remembers 16 epochs of which it holds nothing', () => {
    const history = new History(limits, budget());
    for (let n = 1; n <= 17; n++) {
      history.push(`e${n}`, 1, frameOf('x'), n);
      history.clear();
    }
    const passed = (n: number): number | undefined => history.passedMs({ epoch: `e${n}`, offset: 1 });
    expect([passed(1), passed(2), passed(17)]).toEqual([undefined, 2, 17]);
  });

  it('drops what came before the interest was in force', () => {
    const history = filled();
    history.restartAfter({ epoch: 'e', offset: 2 });
    expect(after(history, ['e', 1])).toBeUndefined();
    expect(after(history, ['e', 2])).toEqual(['e3', 'e4']);
    expect(history.messages).toBe(2);
  });

  it('proves nothing from before an uncounted hole, until that is too long ago', () => {
    const history = filled();
    history.restartAfterHole(50);
    const before = { epoch: 'e', offset: 8 };
    expect(history.isPastHole(before, 60)).toBe(false);
    history.push('e', 9, frameOf('e9'), 50);
    expect(history.isPastHole(before, 60)).toBe(false);
    expect(history.isPastHole({ epoch: 'e', offset: 9 }, 60)).toBe(true);
    expect(history.isPastHole(before, 200)).toBe(true);
  });

  it('takes the newest message, where it is fetched, for none that came after the hole', () => {
    const history = new History({ ...limits, keepsNewest: true }, budget());
    history.restartAfterHole(50);
    history.push('e', 8, frameOf('e8'), -Infinity);
    expect(text(history.last()!)).toBe('e8');
    expect(history.isPastHole({ epoch: 'e', offset: 8 }, 60)).toBe(false);
    expect(history.passedMs({ epoch: 'e', offset: 8 })).toBe(-Infinity);
    history.push('e', 9, frameOf('e9'), 60);
    expect([history.messages, text(history.last()!)]).toEqual([1, 'e9']);
  });
});

describe('histories that share a full budget', () => {
  const push = (history: History, offset: number, bytes = 10): void =>
    history.push('e', offset, new Uint8Array(bytes), offset);
  const three = (shared: HistoryBudget): [History, History, History] => [
    new History(limits, shared),
    new History(limits, shared),
    new History(limits, shared),
  ];
  const counts = (...histories: History[]): number[] => histories.map(({ messages }) => messages);

  it('drop what came longest ago, whosever it is', () => {
    const shared = new HistoryBudget(40);
    const [busy, quiet, late] = three(shared);
    push(busy, 1);
    push(quiet, 2);
    push(busy, 3);
    push(busy, 4);
    expect([counts(busy, quiet, late), shared.usedBytes]).toEqual([[3, 1, 0], 40]);
    push(late, 5);
    expect(counts(busy, quiet, late)).toEqual([2, 1, 1]);
    push(late, 6);
    expect(counts(busy, quiet, late)).toEqual([2, 0, 2]);
    push(late, 7, 25);
    expect([counts(busy, quiet, late), shared.usedBytes]).toEqual([[0, 0, 2], 35]);
    // Those that lost something know it, and what the newest one is.
    expect(quiet.unseen(new Map([['e', 1]]))).toBeUndefined();
    expect(late.unseen(new Map([['e', 5]]))?.map(({ offset }) => offset)).toEqual([6, 7]);
  });

  it('spare newest messages that are kept, as long as there is anything else', () => {
    const shared = new HistoryBudget(40);
    const keeping = { ...limits, keepsNewest: true };
    const kept = [new History(keeping, shared), new History(keeping, shared)] as const;
    const other = new History(limits, shared);
    push(kept[0], 1);
    push(kept[0], 2);
    push(kept[1], 3);
    push(other, 4);
    push(other, 5);
    expect([counts(...kept, other), kept[0].last()?.length]).toEqual([[1, 1, 2], 10]);
    push(kept[1], 6);
    expect(counts(...kept, other)).toEqual([1, 2, 1]);
    push(kept[1], 7, 30);
    expect([counts(...kept, other), shared.usedBytes]).toEqual([[1, 1, 0], 40]);
    push(kept[1], 8, 31);
    expect([counts(...kept, other), shared.usedBytes]).toEqual([[1, 0, 0], 10]);
  });

  it('give back what they forget by themselves, from any place in line', () => {
    const shared = new HistoryBudget(1_000);
    const [left, middle, right] = three(shared);
    for (let offset = 1; offset <= 9; offset++) push([left, middle, right][offset % 3]!, offset);
    middle.clear();
    expect(shared.usedBytes).toBe(60);
    right.restart({ epoch: 'e', offset: 9 });
    expect([counts(left, middle, right), shared.usedBytes]).toEqual([[3, 0, 0], 30]);
    left.trim(1_000);
    expect(shared.usedBytes).toBe(0);
    push(middle, 10, 990);
    push(right, 11);
    push(left, 12);
    expect([counts(left, middle, right), shared.usedBytes]).toEqual([[1, 0, 1], 20]);
  });

  it('keep nothing where nothing may be kept', () => {
    const none = new HistoryBudget(0);
    const history = new History({ ...limits, keepsNewest: true }, none);
    push(history, 1);
    expect([history.messages, none.usedBytes, history.last()]).toEqual([0, 0, undefined]);
  });
});
