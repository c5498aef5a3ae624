// Tools around the daemons: the simulator, checks, configuration.

import type { Command } from 'commander';
import { addCheckCommand } from './check-command.ts';
import { addConfigCommand } from './config-command.ts';
import { addSimCommand } from './sim-command.ts';

export function addToolCommands(program: Command): void {
  addSimCommand(program);
  addCheckCommand(program);
  addConfigCommand(program);
}
