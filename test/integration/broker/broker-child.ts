// A broker as a child process of a test: says where it is, and on SIGTERM drains and prints its books.

import { broker } from './rig.ts';
import type { BrokerFlags } from './rig.ts';

const { id, ...flags } = JSON.parse(process.argv[2]!) as BrokerFlags & { id: string };
const running = await broker(id, flags);
console.log(`ready ${JSON.stringify(running.address())}`);
process.once('SIGTERM', () => {
  void running.close().then(() => {
    console.log(`ledger ${JSON.stringify(running.snapshot().ledger)}`);
    process.exit(0);
  });
});
