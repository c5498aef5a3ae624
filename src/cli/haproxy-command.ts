// `herald haproxy config|lint`: a ready backend for the current table, and the traps in one that exists.

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { Option as Flag } from 'commander';
import { StartError } from '../daemon/lifecycle.ts';
import type { TableSnapshot } from '../herald/core/balancer-types.ts';
import { haproxyConfig, lintHaproxy } from '../herald/haproxy/index.ts';
import { askSuccess } from './admin-api.ts';
import { adminFlags, adminTarget } from './ask-commands.ts';

export function addHaproxyCommand(program: Command): void {
  const haproxy = program
    .command('haproxy')
    .description('HAProxy configuration: write it, or find its traps');
  adminFlags(haproxy.command('config').description('print a backend section for the current table'))
    .option('--backend <name>', 'name of the backend', 'gateways')
    .addOption(new Flag('--agent <host:port>', 'agent-check as HAProxy reaches it').default('127.0.0.1:7402'))
    .action(async (flags: { admin: string; token?: string; backend: string; agent: string }) => {
      const { gateways } = await askSuccess<TableSnapshot>(adminTarget(flags), '/v1/table');
      process.stdout.write(haproxyConfig({ backend: flags.backend, agent: flags.agent, gateways }));
    });
  haproxy
    .command('lint <file>')
    .description('name the traps of a configuration, with line numbers; exit 1 when there are any')
    .action((file: string) => {
      let text: string;
      try {
        text = readFileSync(file, 'utf8');
      } catch (error) {
        throw new StartError((error as Error).message);
      }
      const findings = lintHaproxy(text);
      for (const { line, message } of findings) console.log(`${file}:${line}: ${message}`);
      if (findings.length === 0) console.log(`${file}: no trap found`);
      process.exitCode = findings.length > 0 ? 1 : 0;
    });
}
