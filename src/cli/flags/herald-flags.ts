// The flags of commands that ask a running Herald: where it is, and the token that it may want.

import type { Command } from 'commander';
import { Option as Flag } from 'commander';
import type { Target } from '../admin-api.ts';
import { heraldUrl } from './given.ts';

const PUBLIC_URL = 'http://127.0.0.1:7400';
const ADMIN_URL = 'http://127.0.0.1:7403';

export interface AdminFlags {
  admin: string;
  token?: string;
}

export function adminFlags(command: Command): Command {
  return command
    .addOption(new Flag('--admin <url>', 'admin URL of a Herald').env('HERALD_ADMIN').default(ADMIN_URL))
    .addOption(
      new Flag('--token <token>', 'admin token, where Herald asks for one').env('HERALD_ADMIN_TOKEN'),
    );
}

export function adminTarget(flags: AdminFlags): Target {
  return {
    url: heraldUrl('--admin', flags.admin),
    ...(flags.token !== undefined && { token: flags.token }),
  };
}

/** `HERALD_PUBLIC` and not `HERALD_URL`, which is what a gateway tells clients to open. */
export function publicUrlFlag(description: string, names = '--url <url>'): Flag {
  return new Flag(names, description).env('HERALD_PUBLIC').default(PUBLIC_URL);
}
