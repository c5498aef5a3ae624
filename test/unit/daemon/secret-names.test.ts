// What is a secret as an option is one in a log line and in --print-config.
import { describe, expect, it } from 'vitest';
import { bridgeOptions } from '../../../src/broker/bridge/bridge-options.ts';
import { brokerOptions } from '../../../src/broker/config/broker-options.ts';
import type { Options } from '../../../src/daemon/config.ts';
import { loadConfig, printConfig } from '../../../src/daemon/config.ts';
import { SECRET_NAMES } from '../../../src/daemon/log.ts';
import { gatewayOptions } from '../../../src/gateway/config/gateway-options.ts';
import { heraldOptions } from '../../../src/herald/config/herald-options.ts';

const DAEMONS: Record<string, Options> = {
  serve: heraldOptions,
  gateway: gatewayOptions,
  broker: brokerOptions,
  bridge: bridgeOptions,
};

describe.each(Object.entries(DAEMONS))('the options of %s', (name, options) => {
  const secrets = Object.keys(options).filter((key) => options[key]!.secret);

  it('hold secrets that the log hides under their own names', () => {
    expect(secrets).toContain(name === 'bridge' ? 'curveSecretKey' : 'secret');
    expect(secrets.filter((key) => !SECRET_NAMES.includes(key))).toEqual([]);
  });

  it('call nothing a secret, token, password or secret key that is not marked as one', () => {
    const sounding = Object.keys(options).filter((key) => /secret|token$|password|auth$/i.test(key));
    expect(sounding.filter((key) => !secrets.includes(key))).toEqual([]);
  });

  it('print without them', () => {
    const flags = Object.fromEntries(secrets.map((key) => [key, 'hunter2hunter2hunter2']));
    const printed = printConfig(options, loadConfig(options, { flags }));
    expect(printed).not.toContain('hunter2');
    expect(printed.match(/\[hidden\]/g)).toHaveLength(secrets.length);
  });
});
