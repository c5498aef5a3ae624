// Policies by the name that config gives them.

import type { PolicyName } from '../balancer-types.ts';
import { expectedPolicy } from './expected.ts';
import { leastPolicy } from './least.ts';
import { p2cPolicy } from './p2c.ts';
import type { Policy } from './policy.ts';
import { randomPolicy } from './random.ts';
import { roundRobinPolicy } from './round-robin.ts';
import { weightedPolicy } from './weighted.ts';

export const POLICIES: Record<PolicyName, Policy> = {
  expected: expectedPolicy,
  p2c: p2cPolicy,
  least: leastPolicy,
  weighted: weightedPolicy,
  random: randomPolicy,
  'round-robin': roundRobinPolicy,
};
