// What `herald up` says once everything runs: versions, mode, every URL, and what to try next.

import { counted } from '../../checks/core/counted.ts';
import { heraldVersion } from '../version.ts';
import type { UpPorts } from './ports.ts';
import { local } from './ports.ts';

export interface Welcome {
  ports: UpPorts;
  offset: number;
  zookeeper: string;
  gatewayCount: number;
  brokerCount: number;
  botCount: number;
}

/** Under the one before: side by side they would wrap. */
const NEXT = `\n${' '.repeat(16)}`;

export function welcome({ ports, offset, zookeeper, gatewayCount, brokerCount, botCount }: Welcome): string {
  const mode = zookeeper === '' ? 'embedded store, one Herald' : `ZooKeeper at ${zookeeper}, one Herald`;
  const gateways = upTo(gatewayCount).map((index) => `${local(ports.gateway(index), 'ws')}/ws`);
  const brokers = upTo(brokerCount).map((index) => ports.broker(index));
  return `Herald ${heraldVersion()} on Node ${process.versions.node}: ${mode}
${counted(gatewayCount, 'gateway')}, ${counted(brokerCount, 'broker')}, ${counted(botCount, 'bot')}, each daemon its own process

  lookup        ${local(ports.public)}/v1/lookup
  redirect      ${local(ports.public)}/v1/connect
  ops page      ${local(ports.admin)}/
  load table    ${local(ports.admin)}/v1/table
  metrics       ${local(ports.admin)}/metrics
  feedback      ${local(ports.control)}/v1/feedback
  agent-check   tcp://127.0.0.1:${ports.agent}
  gateways      ${gateways.join(NEXT)}
  brokers in    ${brokers.map(({ publish }) => local(publish, 'tcp')).join(NEXT)}
  brokers http  ${brokers.map(({ http }) => `${local(http)}/v1/publish`).join(NEXT)}

Try in another terminal:
${settings(ports, offset)}  npx herald lookup                      where to connect, and why
  npx herald subscribe news              what the bots publish
  npx herald publish news '"hello"'
  npx herald drain gateway-1 --for 1m    watch its clients move

Ctrl-C stops everything.
`;
}

/** The commands look at the default ports; elsewhere they must be told. */
function settings(ports: UpPorts, offset: number): string {
  if (offset === 0) return '';
  const values = [
    `HERALD_PUBLIC=${local(ports.public)}`,
    `HERALD_ADMIN=${local(ports.admin)}`,
    `HERALD_HERALDS=${local(ports.control)}`,
  ];
  return `  export ${values.join(' ')}\n`;
}

function upTo(number: number): number[] {
  return Array.from({ length: number }, (_, index) => index);
}
