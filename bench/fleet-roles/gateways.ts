// A fleet as Herald sees it: each gateway reports over a connection of its own, as the reporter does, and their periods
// are spread evenly. Ends at the first report that is not taken.

import { Agent, request } from 'node:http';

export interface FleetOrder {
  gateways: number;
  periodMs: number;
  /** Control URL of Herald. */
  control: string;
}

const { gateways, periodMs, control } = JSON.parse(process.argv[2]!) as FleetOrder;
const { hostname: host, port } = new URL(control);
for (let i = 0; i < gateways; i++) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let seq = 0;
  const report = (): void => {
    const body = JSON.stringify(reportOf(i, ++seq));
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const post = request({ host, port, path: '/v1/feedback', method: 'POST', agent, headers }, (answer) => {
      if (answer.statusCode !== 200) throw new Error(`report refused: ${answer.statusCode}`);
      answer.resume();
    });
    post.end(body);
  };
  setTimeout(() => setInterval(report, periodMs), (periodMs * i) / gateways);
}

function reportOf(index: number, seq: number): object {
  return {
    v: 1,
    gateway: `gw-${index}`,
    url: `wss://gw-${index}.example.net:7410/ws`,
    bootId: 'bench',
    seq,
    periodMs,
    zone: `zone-${index % 3}`,
    labels: { track: index % 10 === 0 ? 'canary' : 'stable' },
    state: 'up',
    cpu: 0.3 + 0.3 * Math.random(),
    throttled: 0,
    eventLoop: 0.3,
    memory: 0.4,
    messagesPerSec: 4_000,
    bytesPerSec: 2_000_000,
    bufferedBytes: 0,
    deliveryLagMs: 20,
    connections: 900,
    youngConnections: 3,
    acceptedTotal: 1_000 + seq,
  };
}
