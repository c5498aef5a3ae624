// host:port texts of the configuration, and whether they stay on this machine.

import type { Server } from 'node:net';
import { hostname } from 'node:os';
import { StartError } from './lifecycle.ts';

export interface Address {
  host: string;
  port: number;
}

/** Parses `host:port` or `[v6]:port`; throws a StartError that names the flag. */
export function parseAddress(text: string, flag: string): Address {
  const parts = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(parts?.[3]);
  const host = parts?.[1] ?? parts?.[2];
  if (host === undefined || !(port <= 65_535)) throw new StartError(`${flag} ${text}: expected host:port`);
  return { host, port };
}

/** The same for what is to be connected to. */
export function parseTarget(text: string, flag: string): Address {
  const target = parseAddress(text, flag);
  if (target.port === 0) throw new StartError(`${flag} ${text}: expected host:port with a port from 1`);
  return target;
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** `address` as `server` is bound to it, with the port that the system chose. */
export function boundAddress({ host, port }: Address, server: Server): Address {
  const bound = server.address();
  return { host, port: typeof bound === 'object' && bound ? bound.port : port };
}

/** True for addresses that nobody outside this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** True for the two addresses that stand for every address of this machine: to bind to, not to connect to. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** Throws a StartError where others would be told to connect to a wildcard address: each would reach himself. */
export function checkReachable(flag: string, host: string): void {
  if (isWildcard(bare(host))) {
    throw new StartError(
      `${flag}: nobody elsewhere reaches ${host}; expected a name or address of this machine`,
    );
  }
}

/** A wildcard address is no place to send anybody to; this machine's name is. */
export function reachable({ host, port }: Address): Address {
  return { host: isWildcard(host) ? hostname() : host, port };
}

/** Throws a StartError for the first flag that wants a port which one before it has. */
export function checkApart(listens: readonly (readonly [flag: string, address: Address])[]): void {
  for (const [i, [flag, address]] of listens.entries()) {
    const twin = listens.slice(0, i).find(([, other]) => collide(other, address));
    if (twin) throw new StartError(`${flag} ${formatAddress(address)}: ${twin[0]} has this port already`);
  }
}

function collide(one: Address, other: Address): boolean {
  const isSameHost = one.host === other.host || isWildcard(one.host) || isWildcard(other.host);
  return isSameHost && one.port === other.port && one.port !== 0;
}

/** Whether a URL leads to this machine and no other. */
export function leadsHere(url: string): boolean {
  return isLoopback(bare(new URL(url).hostname));
}

/** A host as a URL has it, without the brackets of an IPv6 address. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}
