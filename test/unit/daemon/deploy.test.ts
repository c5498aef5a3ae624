// The example files of deploy/ are read by people who copy them: each is held to the options it speaks of.
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { brokerOptions } from '../../../src/broker/config/broker-options.ts';
import type { Options } from '../../../src/daemon/config.ts';
import { envName, loadConfig } from '../../../src/daemon/config.ts';
import { gatewayOptions } from '../../../src/gateway/config/gateway-options.ts';
import { allowedUrls } from '../../../src/herald/config/allowed-urls.ts';
import { heraldOptions } from '../../../src/herald/config/herald-options.ts';

const DEPLOY = resolve(import.meta.dirname, '../../../deploy');
const read = (file: string): string => readFileSync(`${DEPLOY}/${file}`, 'utf8');
const DAEMONS: Readonly<Record<string, Options>> = {
  serve: heraldOptions,
  gateway: gatewayOptions,
  broker: brokerOptions,
};

describe('the example configuration', () => {
  it.each(Object.entries(DAEMONS))('of herald %s loads', (name, options) => {
    const config = loadConfig(options, { file: `${DEPLOY}/config/${name}.yaml` });
    const given = parse(read(`config/${name}.yaml`)) as Record<string, unknown>;
    expect(config).toMatchObject(given);
  });

  it.each(Object.entries(DAEMONS))('of herald %s holds no secret', (name, options) => {
    const given = Object.keys(parse(read(`config/${name}.yaml`)) as Record<string, unknown>);
    expect(given.filter((key) => options[key]?.secret)).toEqual([]);
  });
});

it('a Herald with the example hands out the example gateway, and one by its address', () => {
  const herald = loadConfig(heraldOptions, { file: `${DEPLOY}/config/serve.yaml` });
  const { url } = loadConfig(gatewayOptions, { file: `${DEPLOY}/config/gateway.yaml` });
  const isAllowed = allowedUrls(herald.allowedUrls);
  expect([url, 'ws://10.0.0.3:7410/ws', 'ws://elsewhere.net/ws'].map(isAllowed)).toEqual([true, true, false]);
});

describe('a unit', () => {
  const units = readdirSync(`${DEPLOY}/systemd`);
  const lines = (unit: string): string[] => read(`systemd/${unit}`).split('\n');

  it('exists for each daemon and starts it with a file of deploy/config', () => {
    const commands = units.map((unit) => lines(unit).find((line) => line.startsWith('ExecStart=')));
    expect(commands.sort()).toEqual(
      Object.keys(DAEMONS)
        .map((name) => `ExecStart=/usr/bin/herald ${name} --config /etc/herald/${name}.yaml`)
        .sort(),
    );
  });

  it.each(units)('%s gives the daemon no privilege', (unit) => {
    expect(lines(unit)).toEqual(
      expect.arrayContaining([
        'DynamicUser=yes',
        'NoNewPrivileges=yes',
        'CapabilityBoundingSet=',
        'ProtectSystem=strict',
        'ProtectHome=yes',
        'PrivateDevices=yes',
        'SystemCallFilter=@system-service',
      ]),
    );
  });

  it.each(['herald-broker.service', 'herald-gateway.service'])('%s lets ZeroMQ start its threads', (unit) => {
    // In this order: what stands last gives back what was taken. Without it, libzmq aborts at the first socket.
    expect(lines(unit).filter((line) => line.startsWith('SystemCallFilter='))).toEqual([
      'SystemCallFilter=@system-service',
      'SystemCallFilter=~@privileged @resources',
      'SystemCallFilter=sched_setscheduler',
    ]);
  });

  it('sees nothing of the host in /proc, but for a Herald that may watch its load', () => {
    const narrow = units.filter((unit) => lines(unit).includes('ProcSubset=pid'));
    expect(narrow).toEqual(['herald-broker.service', 'herald-gateway.service']);
  });

  it.each(units)('%s is tried again until its address is there, and not with what it refuses', (unit) => {
    expect(lines(unit)).toEqual(
      expect.arrayContaining(['StartLimitIntervalSec=0', 'Restart=on-failure', 'RestartPreventExitStatus=1']),
    );
  });

  it('has its state folder for itself: it would change hands with each start of another', () => {
    const folders = units.flatMap((unit) => lines(unit).filter((line) => line.startsWith('StateDirectory=')));
    expect([...new Set(folders)]).toEqual(folders);
  });

  it.each(units)('%s leaves room for the connections of its example', (unit) => {
    const limit = Number(/^LimitNOFILE=(\d+)$/m.exec(read(`systemd/${unit}`))?.[1]);
    expect(limit).toBeGreaterThan(gatewayOptions.maxConnections.default + 1_000);
  });
});

describe('the compose file', () => {
  interface Service {
    command?: string[];
    environment?: Record<string, string>;
    cap_drop?: string[];
    read_only?: boolean;
  }
  const { services } = parse(read('docker/compose.yaml'), { merge: true }) as {
    services: Record<string, Service>;
  };
  const daemons = Object.entries(services).flatMap(([name, service]) => {
    const options = DAEMONS[service.command?.[0] ?? ''];
    return options === undefined ? [] : [{ name, service, options }];
  });

  it('runs two of each daemon', () => {
    expect(daemons.map(({ name }) => name).sort()).toEqual(
      ['broker-1', 'broker-2', 'gateway-1', 'gateway-2', 'herald-1', 'herald-2'].sort(),
    );
  });

  it.each(daemons)(
    'configures $name with variables that exist and values that fit',
    ({ service, options }) => {
      const env = { ...service.environment, HERALD_SECRET: 'sixteen characters' };
      const known = Object.keys(options).map(envName);
      // Shared by all daemons of the file; a Herald does not read the list of Heralds.
      expect(Object.keys(env).filter((name) => !known.includes(name) && name !== 'HERALD_HERALDS')).toEqual(
        [],
      );
      expect(() => loadConfig(options, { env })).not.toThrow();
    },
  );

  it.each(daemons)('runs $name without privileges', ({ service }) => {
    expect(service).toMatchObject({ cap_drop: ['ALL'], read_only: true });
  });

  it('lets no two daemons share a port', () => {
    const listens = daemons.flatMap(({ service, options }) => {
      const config = loadConfig(options, { env: { ...service.environment } }) as Record<string, unknown>;
      return Object.entries(config).flatMap(([key, value]) =>
        /listen$/i.test(key) ? [String(value).split(':').at(-1)] : [],
      );
    });
    expect(listens.filter((port, index) => listens.indexOf(port) !== index)).toEqual([]);
  });
});

describe('the image', () => {
  it('does not run as root', () => {
    const steps = read('docker/Dockerfile').split('\n');
    const user = steps.findIndex((line) => line === 'USER node');
    expect(user).toBeGreaterThan(steps.findLastIndex((line) => line.startsWith('FROM')));
    expect(user).toBeLessThan(steps.findIndex((line) => line.startsWith('ENTRYPOINT')));
  });
});
