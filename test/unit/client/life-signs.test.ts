import { expect, it } from 'vitest';
import { LifeSigns } from '../../../src/client/core/life-signs.ts';

/** Pinged each 10 s and last heard at 100 s. */
function livingAt100Sec(): LifeSigns {
  const life = new LifeSigns();
  life.begin(95_000);
  life.live(10_000);
  life.heard(100_000);
  return life;
}

it('gives a connection up that is not live 15 s after its beginning, however much was heard', () => {
  const life = new LifeSigns();
  expect(life.begin(1_000)).toEqual({ is: 'fine', againMs: 15_000 });
  life.heard(15_999);
  expect(life.look(15_999)).toEqual({ is: 'fine', againMs: 1 });
  expect(life.look(16_000)).toEqual({ is: 'dead', why: 'no answer in time' });
});

it('asks when a ping is late by a fifth, and gives up two fifths later', () => {
  const life = livingAt100Sec();
  expect(life.look(111_999)).toEqual({ is: 'fine', againMs: 1 });
  expect(life.look(112_000)).toEqual({ is: 'ask', againMs: 4_000 });
  expect(life.look(115_999)).toEqual({ is: 'fine', againMs: 1 });
  expect(life.look(116_000)).toEqual({ is: 'dead', why: 'silent for too long' });
});

it('goes on with one that answers, whatever it says', () => {
  const life = livingAt100Sec();
  life.look(112_000);
  life.heard(113_000);
  expect(life.look(116_000)).toEqual({ is: 'fine', againMs: 9_000 });
});

it('asks at once after a wake-up, and once', () => {
  const life = livingAt100Sec();
  expect(life.woken(101_000)).toEqual({ is: 'ask', againMs: 4_000 });
  expect(life.woken(102_000)).toBeUndefined();
  expect(new LifeSigns().woken(0)).toBeUndefined();
});

it('waits a second for an answer at least, and after a wake-up 5 s at most', () => {
  const [quick, slow] = [new LifeSigns(), new LifeSigns()];
  quick.live(1);
  expect(quick.look(1_200)).toEqual({ is: 'ask', againMs: 1_000 });
  slow.live(60_000);
  expect(slow.woken(1)).toEqual({ is: 'ask', againMs: 5_000 });
});
