// Chance for the simulator: a small seeded generator, so that a run can be repeated bit by bit, and the
// distributions that long-lived connections follow.

export type Random = () => number;

/** xoshiro128** with its state from splitmix32 (Blackman and Vigna, 2018). Uniform in [0, 1). */
export function seededRandom(seed: number): Random {
  let mix = seed >>> 0;
  const next = (): number => {
    mix = (mix + 0x9e3779b9) >>> 0;
    let word = Math.imul(mix ^ (mix >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    return (word ^ (word >>> 15)) >>> 0;
  };
  let [a, b, c, d] = [next(), next(), next(), next()];
  return () => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result / 2 ** 32;
  };
}

export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

const COST_SIGMA = 1.2;

/** Cost of a connection, mean 1: log-normal, so that a few cost a hundred times the median. */
export function connectionCost(random: Random): number {
  return Math.exp(COST_SIGMA * normal(random) - (COST_SIGMA * COST_SIGMA) / 2);
}

/** Pareto shape of connection lives: most are short, some stay all day. */
const LIFE_SHAPE = 1.5;

export function connectionLife(random: Random, mean: number): number {
  const least = (mean * (LIFE_SHAPE - 1)) / LIFE_SHAPE;
  return least * (1 - random()) ** (-1 / LIFE_SHAPE);
}

/** What is left of the life of a connection met at a random moment: long ones are met more often. */
export function remainingLife(random: Random, mean: number): number {
  const least = (mean * (LIFE_SHAPE - 1)) / LIFE_SHAPE;
  const chance = random();
  if (chance < least / mean) return chance * mean;
  return least * (LIFE_SHAPE * (1 - chance)) ** (-1 / (LIFE_SHAPE - 1));
}

/** Number of arrivals in a step that expects `mean` of them. */
export function poisson(random: Random, mean: number): number {
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}
