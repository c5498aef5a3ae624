// Who connects: how much a connection costs and how long it lives. Pure; chance comes in.

/** Bounded Pareto from 10 s to 300 s with a mean of 24.7 s: most leave soon, a few stay. */
const LIFE_MIN_MS = 10_000;
const LIFE_MAX_MS = 300_000;
const LIFE_SHAPE = 1.5;
export const MEAN_LIFE_MS = 24_700;

/** Spread of the costs of connections: the heaviest of twelve classes costs 30 times the lightest. */
const COST_SIGMA = 1;

/** Messages a second of each class of topics: equally frequent quantiles of a log-normal cost. */
export function classRates(classes: number, meanPerSec: number): number[] {
  const raw = Array.from({ length: classes }, (_, i) =>
    Math.exp(COST_SIGMA * normalQuantile((i + 0.5) / classes)),
  );
  const mean = raw.reduce((sum, rate) => sum + rate, 0) / classes;
  return raw.map((rate) => (rate / mean) * meanPerSec);
}

/** Life of one who connects now. */
export function lifeMs(random: number): number {
  return boundedPareto(random, LIFE_SHAPE);
}

/** What is left of the life of one who is found connected: long lives are found more often. */
export function remainingLifeMs(randomLife: number, randomPart: number): number {
  return boundedPareto(randomLife, LIFE_SHAPE - 1) * randomPart;
}

function boundedPareto(random: number, shape: number): number {
  const tail = (LIFE_MIN_MS / LIFE_MAX_MS) ** shape;
  return LIFE_MIN_MS / (1 - random * (1 - tail)) ** (1 / shape);
}

/** Bisection on the error function's series is enough for twelve numbers. */
function normalQuantile(p: number): number {
  let low = -6;
  let high = 6;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < p) low = middle;
    else high = middle;
  }
  return low;
}

/** Share of a normal distribution below z, by its Taylor series (Marsaglia, 2004). */
function normalShare(z: number): number {
  let sum = z;
  let term = z;
  for (let i = 3; i < 200; i += 2) {
    term *= (z * z) / i;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}
