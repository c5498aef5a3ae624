// A ready HAProxy backend for the current table. Pure text in, text out; each line that is easy to get wrong
// says why it is as it is (docs/haproxy.md).

import { isIP } from 'node:net';

export interface HaproxyServer {
  gateway: string;
  url: string;
}

export interface HaproxyConfigInput {
  backend: string;
  /** host:port of agent-check, as HAProxy reaches it. */
  agent: string;
  gateways: readonly HaproxyServer[];
}

export function haproxyConfig({ backend, agent, gateways }: HaproxyConfigInput): string {
  const colon = agent.lastIndexOf(':');
  const host = agent.slice(0, colon).replace(/^\[|\]$/g, '');
  const port = agent.slice(colon + 1);
  const servers = [...gateways].sort((a, b) => (a.gateway < b.gateway ? -1 : 1)).map(serverLine);
  return `# Written by Herald for the gateways it knows now; docs/haproxy.md explains each line.
backend ${backend}
    # leastconn and a fed-back weight both chase the idle server, and herd: use roundrobin or random(2).
    balance roundrobin
    option redispatch
    retries 2
    # A WebSocket lives for hours: without a tunnel timeout it would end with the server timeout.
    timeout connect 3s
    timeout server 30s
    timeout tunnel 24h
    option httpchk GET /livez
    # Whoever answers lives, also a server that has no such page; whether it takes connections the agent says.
    http-check expect rstatus ^[234]
    # weight 100: a percentage of the default weight 1 would round to 0. One agent speaks for all servers,
    # told apart by agent-send, which HAProxy sends as written: the \\n is needed.
    default-server weight 100 check inter 2s agent-check agent-inter 1s agent-addr ${host} agent-port ${port}
${servers.map((line) => line(backend)).join('')}`;
}

function serverLine({ gateway, url }: HaproxyServer): (backend: string) => string {
  const { hostname, port, protocol } = new URL(url);
  const secure = protocol === 'wss:';
  const address = `${hostname}:${port === '' ? (secure ? '443' : '80') : port}`;
  const tls = secure ? ` ssl verify required ca-file @system-ca${serverName(hostname)}` : '';
  return (backend) => `    server ${gateway} ${address}${tls} agent-send "${backend}/${gateway}\\n"\n`;
}

/** Without it HAProxy takes a good certificate of anybody. It compares names alone, no addresses. */
function serverName(hostname: string): string {
  return isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? ` sni str(${hostname}) check-sni ${hostname}` : '';
}
