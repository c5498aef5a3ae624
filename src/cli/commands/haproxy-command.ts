// `herald haproxy config|lint`: a ready backend for the current table, and the traps in one that exists.

import type { Command } from 'commander';
import { StartError } from '../../daemon/lifecycle.ts';
import { readTextFile } from '../../daemon/text-file.ts';
import { messageOf } from '../../daemon/thrown.ts';
import { lintHaproxy } from '../../herald/haproxy/index.ts';
import { askText } from '../admin-api.ts';
import type { AdminFlags } from '../flags/herald-flags.ts';
import { adminFlags, adminTarget } from '../flags/herald-flags.ts';

/** Some ten thousand servers, with room. */
const MAX_HAPROXY_MB = 4;

interface ConfigFlags extends AdminFlags {
  backend: string;
  pool: string;
  agent?: string;
}

export function addHaproxyCommand(program: Command): void {
  const haproxy = program
    .command('haproxy')
    .description('HAProxy configuration: write it, or find its traps');
  adminFlags(haproxy.command('config').description('print a backend section for the current table'))
    .option('--backend <name>', 'name of the backend', 'gateways')
    .option('--pool <pool>', 'pool of gateways', 'default')
    .option('--agent <host:port>', "agent-check as HAProxy reaches it (default: the Herald's own word)")
    .action(async (flags: ConfigFlags) => {
      const { backend, pool, agent } = flags;
      const query = new URLSearchParams({ backend, pool, ...(agent !== undefined && { agent }) });
      process.stdout.write(await askText(adminTarget(flags), `/v1/haproxy.cfg?${query.toString()}`));
    });
  haproxy
    .command('lint <file>')
    .description('name the traps of a configuration, with line numbers; exit 1 when there are any')
    .action((file: string) => {
      let text: string;
      try {
        text = readTextFile(file, MAX_HAPROXY_MB);
      } catch (error) {
        throw new StartError(`${file}: ${messageOf(error)}`);
      }
      const findings = lintHaproxy(text);
      for (const { line, message } of findings) console.log(`${file}:${line}: ${message}`);
      if (findings.length === 0) console.log(`${file}: no trap found`);
      process.exitCode = findings.length > 0 ? 1 : 0;
    });
}
