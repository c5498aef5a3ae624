// A test run in small, to be interrupted: starts a process, one that is stopped, and one that leaves a
// grandchild behind, prints their numbers and waits.

import { startChild } from '../../launch/child.ts';

const plain = startChild('sleep', ['600']);
const frozen = startChild('sleep', ['600']);
frozen.signal('SIGSTOP');
const left = startChild('sh', ['-c', 'sleep 600 & echo "left $!"']);
const over = startChild('true', []);
await over.exited;
await left.exited;
const [, grandchild] = await left.line(/left (\d+)/);
console.log(`pids ${[plain.pid, frozen.pid, grandchild].join(' ')}`);
setInterval(() => {}, 60_000);
