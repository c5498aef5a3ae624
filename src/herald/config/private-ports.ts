// The rule that private ports stay on this machine until somebody says who may come in.

import { BlockList, isIP } from 'node:net';
import type { Address } from '../../daemon/address.ts';
import { checkReachable, isLoopback, parseAddress, parseTarget } from '../../daemon/address.ts';
import { StartError } from '../../daemon/lifecycle.ts';
import { checkToken, longEnough } from '../../daemon/options.ts';
import type { HeraldConfig } from './herald-options.ts';

export interface ListenAddresses {
  public: Address;
  control: Address;
  agent: Address;
  admin: Address;
}

/** Parses the four addresses; throws a StartError where one would be open to strangers. */
export function listenAddresses(config: HeraldConfig): ListenAddresses {
  const addresses = {
    public: parseAddress(config.publicListen, '--public-listen'),
    control: parseAddress(config.controlListen, '--control-listen'),
    agent: parseAddress(config.agentListen, '--agent-listen'),
    admin: parseAddress(config.adminListen, '--admin-listen'),
  };
  if (config.agentAddress !== '') {
    checkReachable('--agent-address', parseTarget(config.agentAddress, '--agent-address').host);
  }
  longEnough(config.adminToken, '--admin-token');
  checkToken(config.adminToken, '--admin-token');
  if (!isLoopback(addresses.control.host) && config.secret === '') {
    throw new StartError(
      `--control-listen ${config.controlListen} leaves loopback: set --secret, so that gateways must sign`,
    );
  }
  if (!isLoopback(addresses.agent.host) && config.agentAllow.length === 0) {
    throw new StartError(
      `--agent-listen ${config.agentListen} leaves loopback: name the HAProxy addresses with --agent-allow`,
    );
  }
  if (!isLoopback(addresses.admin.host) && config.adminToken === '') {
    throw new StartError(
      `--admin-listen ${config.adminListen} leaves loopback: set --admin-token, so that operators must show it`,
    );
  }
  return addresses;
}

/** Compiles `agentAllow`: loopback and the listed addresses and networks. */
export function allowedPeers(entries: readonly string[]): (address: string | undefined) => boolean {
  const peers = new BlockList();
  for (const entry of entries) {
    const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
    const family = isIP(address);
    const bits = prefix === undefined ? undefined : Number(prefix);
    const widest = family === 4 ? 32 : 128;
    if (family === 0 || (bits !== undefined && bits > widest)) {
      throw new StartError(`--agent-allow ${entry}: expected an IP address or address/bits`);
    }
    const type = family === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) peers.addAddress(address, type);
    else peers.addSubnet(address, bits, type);
  }
  return (peer) => {
    if (peer === undefined) return false;
    const address = peer.startsWith('::ffff:') ? peer.slice('::ffff:'.length) : peer;
    return isLoopback(address) || peers.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  };
}
