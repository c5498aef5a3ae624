// Tools around the daemons: the simulator, checks, configuration, HAProxy, keys.

import type { Command } from 'commander';
import { addCheckCommand } from './check-command.ts';
import { addConfigCommand } from './config-command.ts';
import { addHaproxyCommand } from './haproxy-command.ts';
import { addRecordCommand } from './record-command.ts';
import { addSimCommand } from './sim-command.ts';

export function addToolCommands(program: Command): void {
  addSimCommand(program);
  addRecordCommand(program);
  addCheckCommand(program);
  addConfigCommand(program);
  addHaproxyCommand(program);
  program
    .command('keys')
    .description('make a CURVE key pair, for the brokers or for what connects to them')
    .action(async () => {
      const { makeCurveKeys } = await import('../keys-zmq.ts');
      const { publicKey, secretKey } = makeCurveKeys();
      console.log(`curvePublicKey: ${JSON.stringify(publicKey)}`);
      console.log(`curveSecretKey: ${JSON.stringify(secretKey)}`);
    });
}
