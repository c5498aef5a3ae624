// `host:port[,host:port...][/chroot]`, ZooKeeper's own way to write where it is, read strictly: a typing
// error must stop the start and not become a server that is never there.

import { StartError } from '../daemon/lifecycle.ts';
import { messageOf } from '../daemon/thrown.ts';
import { checkPath } from './session.ts';

export interface ZookeeperAddress {
  servers: string[];
  /** Empty or `/a/b`, put before every path. */
  chroot: string;
}

const DEFAULT_PORT = 2181;

/** Throws an Error that names the part and what was expected. IPv6 addresses need a host name. */
export function parseZookeeperAddress(address: string): ZookeeperAddress {
  const slash = address.indexOf('/');
  const hosts = slash === -1 ? address : address.slice(0, slash);
  const chroot = slash === -1 ? '' : address.slice(slash).replace(/\/$/, '');
  if (chroot !== '' && !checkPath(chroot).ok) {
    throw new Error(`ZooKeeper chroot ${JSON.stringify(chroot)}: expected /a/b`);
  }
  const servers = hosts.split(',').map((part) => {
    const [, host, port = String(DEFAULT_PORT)] =
      /^([A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(part.trim()) ?? [];
    if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
      throw new Error(
        `ZooKeeper server ${JSON.stringify(part)}: expected host:port (a name or IPv4 address)`,
      );
    }
    return `${host}:${port}`;
  });
  return { servers, chroot };
}

/** Throws a StartError for an address or credentials that no ZooKeeper would take; empty = none. */
export function checkZookeeperOptions({ zookeeper, zookeeperAuth }: ZookeeperOptionTexts): void {
  try {
    if (zookeeper !== '') parseZookeeperAddress(zookeeper);
  } catch (error) {
    throw new StartError(`--zookeeper ${zookeeper}: ${messageOf(error)}`);
  }
  // Taken as it is, a password without a user would be the user's name, which the rights of every entry show.
  if (zookeeperAuth !== '' && !/^[^:]+:.+$/s.test(zookeeperAuth)) {
    throw new StartError('--zookeeper-auth: expected user:password');
  }
}

interface ZookeeperOptionTexts {
  zookeeper: string;
  zookeeperAuth: string;
}
