import { describe, expect, it } from 'vitest';
import { ReplicaShare, witnessesOf } from '../../../src/herald/core/replica-share.ts';

function counted(
  share: ReplicaShare,
  heraldId: string,
  count: number,
  nowMs = 0,
  gateway = 'g1',
  gateways = 2,
): void {
  share.count(
    {
      heraldId,
      isOwn: heraldId === 'h1',
      count,
      gateway,
      witnesses: witnessesOf(gateway === 'alone' ? 1 : gateways),
    },
    nowMs,
  );
}

describe('the share of this Herald', () => {
  it('is taken from the number of Heralds until there are ten tickets to judge by', () => {
    const share = new ReplicaShare();
    expect(share.factor).toBe(1);
    counted(share, 'h1', 1, 0, 'alone');
    for (const id of ['h2', 'h3']) counted(share, id, 4, 0, 'alone');
    expect(share.factor).toBe(3);
    counted(share, 'h1', 5, 0, 'alone');
    expect(share.factor).toBe(14 / 6);
  });

  it('never makes a ticket count for more than two for each Herald, nor for less than one', () => {
    const share = new ReplicaShare();
    counted(share, 'h1', 1, 0, 'alone');
    counted(share, 'h2', 99, 0, 'alone');
    expect(share.factor).toBe(4);
    const alone = new ReplicaShare();
    counted(alone, 'h1', 50, 0, 'alone');
    expect(alone.factor).toBe(1);
  });

  it('fades within half a minute, and a Herald of whom nothing is heard for a minute counts no more', () => {
    const share = new ReplicaShare();
    share.roll(0);
    counted(share, 'h1', 100, 0, 'alone');
    counted(share, 'h2', 100, 0, 'alone');
    share.roll(30_000);
    counted(share, 'h1', 100, 30_000, 'alone');
    expect(share.factor).toBeCloseTo((100 + 200 / Math.E) / (100 + 100 / Math.E));
    share.roll(60_000);
    expect(share.factor).toBeCloseTo((100 + 200 / Math.E) / (100 + 100 / Math.E));
    // Ten minutes later nothing is left to judge by, and one Herald was heard of last.
    counted(share, 'h1', 1, 600_000, 'alone');
    share.roll(600_000);
    expect(share.factor).toBe(1);
  });

  it('takes no gateway at its word alone, where others could name a Herald as well', () => {
    const share = new ReplicaShare();
    counted(share, 'h1', 100);
    for (let i = 0; i < 63; i++) counted(share, `made-up-${i}`, 1e6);
    expect(share.factor).toBe(1);
    counted(share, 'h2', 50);
    expect(share.factor).toBe(1);
    counted(share, 'h2', 50, 0, 'g2');
    expect(share.factor).toBe(2);
    counted(share, 'h2', 100);
    expect(share.factor).toBe(3);
  });

  const makeUp = (share: ReplicaShare, heralds: number, ...gateways: string[]): void => {
    for (let i = 0; i < heralds; i++) {
      for (const gateway of gateways) counted(share, `made-up-${i}`, 1e6, 0, gateway, 5);
    }
  };

  it('takes no two gateways at their word, where three others could name a Herald as well', () => {
    const share = new ReplicaShare();
    counted(share, 'h1', 100);
    makeUp(share, 63, 'g1', 'g2', 'g1');
    expect(share.factor).toBe(1);
    for (const gateway of ['g1', 'g2', 'g3']) counted(share, 'h2', 50, 0, gateway, 5);
    expect(share.factor).toBe(2.5);
  });

  it('counts no more Heralds than a report can name, whoever names them', () => {
    const share = new ReplicaShare();
    counted(share, 'h1', 1);
    makeUp(share, 1_000, 'g1', 'g2', 'g3');
    expect(share.factor).toBe(2 * 64);
  });

  it('goes on hearing of a new Herald while two gateways make up others without end', () => {
    const share = new ReplicaShare();
    counted(share, 'h1', 100);
    for (const [round, gateway] of ['g3', 'g4', 'g5', 'g3'].entries()) {
      for (let i = 0; i < 1_000; i++) counted(share, `made-up-${round}-${i}`, 1, 0, 'g1', 5);
      counted(share, 'h2', 50, 0, gateway, 5);
    }
    expect(share.factor).toBe(3);
  });
});
