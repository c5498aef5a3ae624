import { expect, it } from 'vitest';
import { renderExplanation } from '../../../src/cli/text/render-explanation.ts';
import { aBalancer, aLookup, aReport } from '../herald-core/given.ts';

it('shows a line a gateway with its sum, the winner first and marked', () => {
  const balancer = aBalancer();
  for (const [i, gateway] of ['a', 'b', 'c'].entries()) {
    balancer.report(aReport(gateway, { cpu: 0.2 + i / 10, youngConnections: 50 }), 0);
  }
  const verdict = balancer.lookup(aLookup(), 200);
  const lines = renderExplanation(balancer.explain(verdict.lookupId, 1_200)!).split('\n');
  expect(lines[0]).toBe(`lookup ${verdict.lookupId}, 1.0 s ago: the least of those drawn`);
  const [head, winner, ...others] = lines.slice(3);
  expect(head).toMatch(
    /gateway +drawn +report age +reported +[=] observed +\+ young .+\+ breaker +expected +compared/,
  );
  expect(winner).toMatch(/^\* +a +\dx +200 ms +0\.200 /);
  expect(others.every((line) => /^ +[bc] +\dx/.test(line))).toBe(true);
  const drawn = [winner!, ...others].map((line) => Number(/ (\d+)x/.exec(line)![1]));
  expect(drawn.reduce((sum, each) => sum + each)).toBe(8);
});

it('fits 80 columns without what adds nothing, its sum whole', () => {
  const balancer = aBalancer();
  for (const gateway of ['gateway-1', 'gateway-2']) balancer.report(aReport(gateway, { cpu: 0.2 }), 0);
  const { lookupId } = balancer.lookup(aLookup(), 200);
  const explanation = balancer.explain(lookupId, 1_200)!;
  const [head, ...rows] = renderExplanation(explanation, 80).split('\n').slice(3);
  for (const line of [head!, ...rows]) expect(line.length).toBeLessThanOrEqual(80);
  const nonzero = Object.entries(explanation.candidates[0]!.terms).filter(([, value]) => value !== 0);
  for (const [term] of nonzero) expect(head).toContain(term);
  expect(head).toMatch(/reported +[=] observed .*expected/);
});

it('says that a lookup was refused', () => {
  const balancer = aBalancer();
  balancer.report(aReport('a', { cpu: 0.99 }), 0);
  const { lookupId } = balancer.lookup(aLookup(), 0);
  expect(renderExplanation(balancer.explain(lookupId)!)).toContain('refused');
});
