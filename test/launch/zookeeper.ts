// Real ZooKeeper servers (Debian's 3.8) on free loopback ports: one, or an ensemble of three. Ready when the
// server itself says its mode, never after a time. Each can be stopped, frozen, killed and started again
// with its data.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Child } from './child.ts';
import { startChild } from './child.ts';
import { freePorts } from './free-port.ts';
import { until } from './until.ts';

export interface ZookeeperServer {
  port: number;
  /** `127.0.0.1:port`. */
  address: string;
  pid(): number;
  /** `standalone`, `leader` or `follower`; empty while it serves nobody. */
  mode(): Promise<string>;
  /** A four-letter command, as `mntr` or `cons`. */
  ask(word: string, deadlineMs?: number): Promise<string>;
  freeze(): void;
  thaw(): void;
  /** kill -9; resolves when the process is gone. */
  kill(): Promise<void>;
  stop(): Promise<void>;
  /** Starts it again on its own port and data; resolves when it serves, unless told not to wait. */
  start(wait?: boolean, env?: Record<string, string>): Promise<void>;
}

export interface ZookeeperEnsemble {
  servers: ZookeeperServer[];
  /** `host:port,host:port,...`. */
  address: string;
  leader(): Promise<ZookeeperServer>;
  /** Resolves when a leader serves and every running server follows it. */
  ready(deadlineMs?: number): Promise<void>;
  /** Stops every server and removes the data. */
  stop(): Promise<void>;
}

const CLASS_PATH = '/etc/zookeeper/conf:/usr/share/java/zookeeper.jar';
/** Small and started quickly: tests start many. */
const JVM_FLAGS = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

export interface ZookeeperLaunch {
  /** Extra lines of zoo.cfg. */
  config?: string[];
  /** JVM flags in the place of those that suit tests. */
  jvm?: string[];
  /** Extra JVM system properties, `-Dkey=value`. */
  properties?: string[];
  /** False: only prepared; `start()` brings it up. */
  started?: boolean;
  /**
   * Scheduling priority as of nice(1), 0 by default. Servers that are started while something else is measured
   * take less of its cores this way: in the field they start on machines of their own.
   */
  niceness?: number;
}

/** One server; `ensemble.stop()` is `server.remove()` here. */
export async function launchZookeeper(
  launch: ZookeeperLaunch = {},
): Promise<ZookeeperServer & { remove(): Promise<void> }> {
  const ensemble = await launchEnsemble(1, launch);
  return { ...ensemble.servers[0]!, remove: () => ensemble.stop() };
}

/** `size` servers that vote, 1 or 3. */
export async function launchEnsemble(size = 3, launch: ZookeeperLaunch = {}): Promise<ZookeeperEnsemble> {
  const folder = mkdtempSync(join(tmpdir(), 'herald-zookeeper-'));
  const ports = await freePorts(size * 3);
  const members = Array.from({ length: size }, (_, index) => ({
    client: ports[index * 3]!,
    peer: ports[index * 3 + 1]!,
    election: ports[index * 3 + 2]!,
  }));
  const quorum = members.map(
    ({ peer, election }, index) => `server.${index + 1}=127.0.0.1:${peer}:${election}`,
  );
  const servers = members.map(({ client }, index) => {
    const home = join(folder, String(index + 1));
    mkdirSync(home);
    writeFileSync(join(home, 'myid'), String(index + 1));
    const config = join(home, 'zoo.cfg');
    const lines = [
      `dataDir=${home}`,
      `clientPort=${client}`,
      'clientPortAddress=127.0.0.1',
      'tickTime=500',
      'initLimit=20',
      'syncLimit=10',
      'minSessionTimeout=1000',
      'maxSessionTimeout=60000',
      'maxClientCnxns=0',
      'admin.enableServer=false',
      '4lw.commands.whitelist=*',
      ...(size > 1 ? quorum : []),
      ...(launch.config ?? []),
    ];
    writeFileSync(config, `${lines.join('\n')}\n`);
    return server(client, config, home, launch);
  });
  const ready = async (deadlineMs = 30_000): Promise<void> => {
    await until(
      'a ZooKeeper quorum',
      async () => {
        const modes = await Promise.all(
          servers.map((one) => (one.pid() === 0 ? Promise.resolve('down') : one.mode())),
        );
        return modes.every((mode) => mode !== '') && modes.some((mode) => /leader|standalone/.test(mode));
      },
      deadlineMs,
      50,
    );
  };
  if (launch.started !== false) {
    await Promise.all(servers.map((one) => one.start(false)));
    await ready();
  }
  return {
    servers,
    address: servers.map(({ address }) => address).join(','),
    ready,
    leader: () =>
      until('a leader', async () => {
        for (const one of servers) if (/leader|standalone/.test(await one.mode())) return one;
        return undefined;
      }),
    async stop() {
      await Promise.all(servers.map((one) => one.kill()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function server(port: number, config: string, home: string, launch: ZookeeperLaunch): ZookeeperServer {
  const { jvm = JVM_FLAGS, properties = [], niceness = 0 } = launch;
  let child: Child | undefined;
  const ask = (word: string, deadlineMs = 500): Promise<string> => fourLetters(port, word, deadlineMs);
  const mode = async (): Promise<string> =>
    /^Mode: (\w+)/m.exec(await ask('srvr').catch(() => ''))?.[1] ?? '';
  return {
    port,
    address: `127.0.0.1:${port}`,
    pid: () => child?.pid ?? 0,
    ask,
    mode,
    freeze: () => child?.signal('SIGSTOP'),
    thaw: () => child?.signal('SIGCONT'),
    async kill() {
      child?.signal('SIGKILL');
      await child?.exited;
      child = undefined;
    },
    async stop() {
      await child?.stop();
      child = undefined;
    },
    async start(wait = true, env = {}) {
      child = startChild(
        'nice',
        [
          '-n',
          String(niceness),
          'java',
          ...jvm,
          ...properties,
          '-cp',
          CLASS_PATH,
          'org.apache.zookeeper.server.quorum.QuorumPeerMain',
          config,
        ],
        { cwd: home, env },
      );
      if (!wait) return;
      const started = child;
      await until(
        `ZooKeeper on ${port}`,
        async () => {
          if (started.process.exitCode !== null) throw new Error(started.stdout() + started.stderr());
          return (await mode()) !== '';
        },
        30_000,
        50,
      );
    },
  };
}

function fourLetters(port: number, word: string, deadlineMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let answer = '';
    const timer = setTimeout(() => socket.destroy(new Error(`no answer to ${word}`)), deadlineMs);
    socket.on('connect', () => socket.write(word));
    socket.on('data', (bytes) => (answer += bytes.toString()));
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(answer);
    });
  });
}
