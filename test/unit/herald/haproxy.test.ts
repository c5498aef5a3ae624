import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { haproxyConfig, lintHaproxy } from '../../../src/herald/haproxy/index.ts';

const GATEWAYS = [
  { gateway: 'gw-2', url: 'wss://gw-2.example.net/ws' },
  { gateway: 'gw-1', url: 'ws://10.0.0.1:7410/ws' },
  { gateway: 'gw-3', url: 'wss://[2001:db8::3]:7410/ws' },
];

test('writes one server a gateway, by name, and nothing the linter finds fault with', () => {
  const config = haproxyConfig({ backend: 'chat', agent: '10.0.0.9:7402', gateways: GATEWAYS });
  const servers = config.split('\n').filter((line) => line.trim().startsWith('server '));
  expect(servers).toEqual([
    '    server gw-1 10.0.0.1:7410 agent-send "chat/gw-1\\n"',
    '    server gw-2 gw-2.example.net:443 ssl verify required ca-file @system-ca sni str(gw-2.example.net) check-sni gw-2.example.net agent-send "chat/gw-2\\n"',
    '    server gw-3 [2001:db8::3]:7410 ssl verify required ca-file @system-ca agent-send "chat/gw-3\\n"',
  ]);
  expect(config).toContain('agent-addr 10.0.0.9 agent-port 7402');
  expect(lintHaproxy(config)).toEqual([]);
});

test('the example in deploy has the gateways as they are written here', () => {
  const example = /^backend gateways\n[^]*?^$/m.exec(readFileSync('deploy/haproxy/haproxy.cfg', 'utf8'))![0];
  const gateways = ['7410', '7411'].map((port, i) => ({
    gateway: `gateway-${i + 1}`,
    url: `ws://127.0.0.1:${port}/ws`,
  }));
  // Its time-outs are those of its section `defaults`.
  const directives = (text: string): string[] =>
    text.split('\n').flatMap((line) => (/^\s*(#|timeout |$)/.test(line) ? [] : [line.trim()]));
  expect(directives(example)).toEqual(
    directives(haproxyConfig({ backend: 'gateways', agent: '127.0.0.1:7409', gateways })),
  );
});

const GOOD =
  'weight 100 check agent-check agent-addr 10.0.0.9 agent-port 7402 agent-inter 1s agent-send "be/a\\n"';
const backend = (lines: string): string =>
  `defaults\n  timeout tunnel 1h\nbackend be\n  balance roundrobin\n${lines}\n`;

test('finds nothing in a good backend, and nothing at all where no agent is asked', () => {
  expect(lintHaproxy(backend(`  server a 10.0.0.1:80 ${GOOD}`))).toEqual([]);
  expect(lintHaproxy('backend be\n  balance leastconn\n  server a 10.0.0.1:80 check')).toEqual([]);
  expect(lintHaproxy('')).toEqual([]);
});

test.each([
  ['weight-vanishes', GOOD.replace('weight 100 ', '')],
  ['weight-vanishes', GOOD.replace('weight 100', 'weight 10')],
  ['agent-send-newline', GOOD.replace('\\n', '')],
  ['agent-send-newline', GOOD.replace('"be/a\\n"', 'be/a')],
  ['agent-send-missing', GOOD.replace(' agent-send "be/a\\n"', '')],
  ['agent-without-port', GOOD.replace('agent-port 7402 ', '')],
  ['slow-agent', GOOD.replace('agent-inter 1s', 'agent-inter 10s')],
  ['slow-agent', GOOD.replace('agent-inter 1s', 'agent-inter 2500')],
  ['no-health-check', GOOD.replace('check agent-check', 'agent-check')],
])('names %s with its line', (code, words) => {
  const findings = lintHaproxy(backend(`  # a comment agent-send "x"\n  server a 10.0.0.1:80 ${words}`));
  expect(findings.map((finding) => [finding.line, finding.code])).toEqual([[6, code]]);
});

test('names what is wrong with the section', () => {
  const text = `backend be\n  balance leastconn # herds\n  default-server ${GOOD}\n  server a 10.0.0.1:80\n`;
  expect(lintHaproxy(text).map(({ line, code }) => [line, code])).toEqual([
    [1, 'no-tunnel-timeout'],
    [2, 'leastconn-herds'],
  ]);
});

test('reads the defaults that hold for a section, and no others', () => {
  const server = `  server a 10.0.0.1:80 ${GOOD}\n`;
  const tunnel = '  timeout tunnel 1h\n';
  const lines = (text: string): number[] => lintHaproxy(text).map(({ line }) => line);
  expect(lines(`defaults\n${tunnel}defaults\nbackend be\n${server}`)).toEqual([4]);
  expect(lines(`backend be\n${server}defaults\n${tunnel}`)).toEqual([1]);
  expect(lines(`defaults ws\n${tunnel}defaults\nbackend be from ws\n${server}`)).toEqual([]);
  expect(lines(`defaults a\n${tunnel}defaults b from a\nbackend be\n${server}`)).toEqual([]);
});
