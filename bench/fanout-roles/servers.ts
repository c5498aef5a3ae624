// Starts a server of each kind on its core, with whoever publishes to it on the other.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { BrokerAddress } from '../../src/protocol/broker-address.ts';
import { build } from './native.ts';
import { LOAD_CORE, NICENESS, Role, SERVER_CORE } from '../role/role.ts';
import type { Load, ServerStats } from './words.ts';

export type ServerKind = 'gateway' | 'floor-c' | 'floor-node' | 'ws' | 'socketio' | 'nchan' | 'nats';

export interface ServerChoice {
  kind: ServerKind;
  /** Settings of the gateway. */
  flags?: Record<string, unknown>;
  /** Of the floors. */
  framesPerWrite?: number;
}

export interface RunningServer {
  role: Role;
  port: number;
  publish(load: Load): Promise<unknown>;
  /** Undefined for servers that are not ours. */
  stats(): Promise<ServerStats> | undefined;
  /** Before memory is read. */
  tidy(): Promise<unknown>;
  end(): Promise<void>;
}

const NCHAN_MODULE = '/usr/lib/nginx/modules/ngx_nchan_module.so';
const NATS = '/usr/sbin/nats-server';
const READY_WITHIN_MS = 10_000;

/** Why this kind cannot run here, or undefined. */
export function missing(kind: ServerKind): string | undefined {
  if (kind === 'nchan' && !existsSync(NCHAN_MODULE)) return 'apt-get install nginx libnginx-mod-nchan';
  if (kind === 'nats' && !existsSync(NATS)) return 'apt-get install nats-server';
  return undefined;
}

export function startServer(choice: ServerChoice): Promise<RunningServer> {
  switch (choice.kind) {
    case 'gateway':
      return startGateway(choice.flags ?? {});
    case 'nchan':
      return startNchan();
    case 'nats':
      return startNats();
    case 'floor-c':
      return startMaker(
        new Role([build('floor'), String(choice.framesPerWrite ?? 1)], SERVER_CORE, NICENESS.server),
      );
    case 'floor-node':
    case 'ws':
    case 'socketio': {
      const kind = choice.kind === 'floor-node' ? 'floor' : choice.kind;
      const argument = { kind, framesPerWrite: choice.framesPerWrite ?? 1 };
      return startMaker(Role.node('fanout-roles/plain-server', SERVER_CORE, NICENESS.server, argument));
    }
  }
}

async function startGateway(flags: Record<string, unknown>): Promise<RunningServer> {
  const brokerRole = Role.node('broker-roles/broker', LOAD_CORE, NICENESS.broker, null);
  const broker = await brokerRole.next<BrokerAddress>();
  const role = Role.node('fanout-roles/gateway', SERVER_CORE, NICENESS.server, { flags, broker });
  const { port } = await role.next<{ port: number }>();
  const publisher = Role.node('fanout-roles/publisher', LOAD_CORE, NICENESS.publisher, { broker });
  await publisher.next();
  return {
    role,
    port,
    publish: (load) => publisher.ask({ load }),
    stats: () => role.ask('stats'),
    tidy: () => role.ask('gc'),
    async end() {
      for (const one of [publisher, role, brokerRole]) await one.end();
    },
  };
}

/** A server of ours that makes its messages itself. */
async function startMaker(role: Role): Promise<RunningServer> {
  const { port } = await role.next<{ port: number }>();
  return {
    role,
    port,
    publish: (load) => role.ask({ load }),
    stats: () => role.ask('stats'),
    tidy: () => role.ask('gc'),
    end: () => role.end(),
  };
}

async function startNchan(): Promise<RunningServer> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'herald-nchan-'));
  const config = join(directory, 'nginx.conf');
  writeFileSync(
    config,
    `load_module ${NCHAN_MODULE};
    daemon off; worker_processes 1; pid ${directory}/pid; error_log ${directory}/error.log;
    worker_rlimit_nofile 20000;
    events { worker_connections 10000; }
    http {
      access_log off; client_body_temp_path ${directory}; proxy_temp_path ${directory};
      fastcgi_temp_path ${directory}; uwsgi_temp_path ${directory}; scgi_temp_path ${directory};
      tcp_nodelay on;
      server {
        listen 127.0.0.1:${port} backlog=4096;
        location ~ ^/pub/(.+)$ { nchan_publisher; nchan_channel_id $1; nchan_message_buffer_length 10; }
        location ~ ^/sub/(.+)$ { nchan_subscriber websocket; nchan_channel_id $1; nchan_websocket_ping_interval 0;
          nchan_subscriber_first_message newest; }
      }
    }`,
  );
  const role = new Role(
    ['nginx', '-c', config, '-e', `${directory}/error.log`],
    SERVER_CORE,
    NICENESS.server,
  );
  await answering(port);
  return foreign(role, port, { nchan: port }, directory);
}

async function startNats(): Promise<RunningServer> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'herald-nats-'));
  const config = join(directory, 'nats.conf');
  writeFileSync(config, `listen: 127.0.0.1:${port}\nping_interval: "1h"\nmax_connections: 20000\n`);
  const role = new Role([NATS, '-c', config, '-l', join(directory, 'log')], SERVER_CORE, NICENESS.server);
  await answering(port);
  return foreign(role, port, { nats: port }, directory);
}

async function foreign(role: Role, port: number, target: object, directory: string): Promise<RunningServer> {
  const publisher = Role.node('fanout-roles/publisher', LOAD_CORE, NICENESS.publisher, target);
  await publisher.next();
  return {
    role,
    port,
    publish: (load) => publisher.ask({ load }),
    stats: () => undefined,
    tidy: () => Promise.resolve(),
    async end() {
      await publisher.end();
      await role.end();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function answering(port: number): Promise<void> {
  const untilMs = performance.now() + READY_WITHIN_MS;
  const tryOnce = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  while (!(await tryOnce())) {
    if (performance.now() > untilMs) throw new Error(`nobody answers on port ${port}`);
    await pause(50);
  }
}
