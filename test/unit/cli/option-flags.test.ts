import { Command } from 'commander';
import { expect, it } from 'vitest';
import { bridgeOptions } from '../../../src/broker/bridge/bridge-options.ts';
import { brokerOptions } from '../../../src/broker/config/broker-options.ts';
import { addOptionFlags } from '../../../src/cli/flags/option-flags.ts';
import { gatewayOptions } from '../../../src/gateway/config/gateway-options.ts';
import { heraldOptions } from '../../../src/herald/config/herald-options.ts';

it.each(Object.entries({ bridgeOptions, brokerOptions, gatewayOptions, heraldOptions }))(
  'the help of %s can be read on a terminal of 80 columns',
  (_, options) => {
    const command = addOptionFlags(new Command('serve'), options).configureOutput({
      getOutHelpWidth: () => 80,
    });
    const lines = command.helpInformation().split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines).toContain('  --log-level <debug|info|warn|error|silent>');
    expect(lines).toContain('      least severe event that is logged [HERALD_LOG_LEVEL, default info]');
  },
);
