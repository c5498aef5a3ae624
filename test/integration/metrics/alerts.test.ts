// The alert rules, judged by Prometheus' own tool; and each one has a test in which it fires and leads to a
// paragraph that says what to do.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startChild } from '../../launch/child.ts';
import { commandPath, requireServer } from '../../launch/require-server.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const FOLDER = resolve(ROOT, 'grafana/prometheus');

interface Rule {
  alert: string;
  annotations: { runbook: string };
}
const read = (file: string): string => readFileSync(file, 'utf8');
const rules = (parse(read(`${FOLDER}/herald.rules.yaml`)) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);

describe.runIf(requireServer('prometheus'))('the alert rules', () => {
  it.each([
    ['check', 'herald.rules.yaml'],
    ['test', 'herald.rules.test.yaml'],
  ])('pass promtool %s rules', async (verb, file) => {
    const promtool = startChild(commandPath('promtool')!, [verb, 'rules', file], { cwd: FOLDER });
    const code = await promtool.exited;
    expect(`${promtool.stdout()}${promtool.stderr()}`).toContain('SUCCESS');
    expect(code).toBe(0);
  });
});

describe('each alert', () => {
  const { tests } = parse(read(`${FOLDER}/herald.rules.test.yaml`)) as {
    tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
  };
  const expectations = tests.flatMap((one) => one.alert_rule_test);

  it.each(rules.map(({ alert }) => alert))('%s is seen to fire and to keep quiet', (alert) => {
    const own = expectations.filter(({ alertname }) => alertname === alert);
    expect(own.some(({ exp_alerts }) => exp_alerts.length > 0)).toBe(true);
    expect(own.some(({ exp_alerts }) => exp_alerts.length === 0)).toBe(true);
  });

  it.each(rules.map(({ alert, annotations }) => [alert, annotations.runbook]))(
    '%s leads to %s',
    (_, runbook) => {
      const [file, anchor] = runbook.split('#') as [string, string];
      const anchors = [...read(resolve(ROOT, file)).matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
        title!
          .toLowerCase()
          .replace(/[^a-z0-9 -]/g, '')
          .replaceAll(' ', '-'),
      );
      expect(anchors).toContain(anchor);
    },
  );
});
