// `herald sim`, `check`, `config`, `haproxy`, `keys`, `bridge`, `record`: tools around the daemons.

import type { Command } from 'commander';
import { addConfigCommand } from './config-command.ts';

export function addToolCommands(program: Command): void {
  addConfigCommand(program);
}
