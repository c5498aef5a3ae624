// Nothing that a test started outlives it, whatever ends the test: Ctrl-C, a timeout's SIGTERM, kill -9. One
// small shell a process reads from a pipe what was started and what is over; the pipe breaks with the
// process, and then the shell kills what is left. A pipe needs no signal handler, which kill -9 would skip.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Writable } from 'node:stream';

/** Lines are `start N` and `end N`; N is a process, or a whole group when negative, as for kill(1). */
const WATCH = `
trap '' HUP INT TERM
left=' '
while read -r word id; do
  case $word in
    start) left="$left$id " ;;
    end) left="\${left%% $id *} \${left#* $id }" ;;
  esac
done
for id in $left; do kill -s KILL -- "$id" 2>/dev/null; done
`;

const guarded = new Set<number>();
let pipe: Writable | undefined;

/** From now on `id` dies with this process. A negative one is a group and must be its leader's, negated. */
export function guard(id: number): void {
  pipe ??= openPipe();
  guarded.add(id);
  pipe.write(`start ${id}\n`);
}

/** `id` is over; the number may soon be somebody else's. Said twice, the shell hears it once. */
export function unguard(id: number): void {
  if (guarded.delete(id)) pipe?.write(`end ${id}\n`);
}

export function guardChild(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  guard(pid);
  child.once('exit', () => unguard(pid));
}

function openPipe(): Writable {
  // A session of its own: what is sent to the group of the test does not reach it.
  const shell = spawn('sh', ['-c', WATCH], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  shell.unref();
  const stdin = shell.stdin as Writable & { unref(): void };
  stdin.unref();
  stdin.on('error', () => {});
  return stdin;
}
