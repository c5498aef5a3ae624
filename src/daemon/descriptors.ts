// How many connections this process can take. A process that accepts until no descriptor is left can open no file and
// reach no peer, and may burn a core: the kernel keeps offering the connection that it cannot take.

import { readFileSync } from 'node:fs';
import { StartError } from './lifecycle.ts';

/** For files, for peers that a daemon connects to itself, and for what its libraries open. */
const KEPT = 128;
const LEAST = 2 * KEPT;

/** The soft limit in `/proc/self/limits`; undefined when unlimited or absent. */
export function descriptorLimit(procSelfLimits: string): number | undefined {
  const soft = Number(/^Max open files\s+(\S+)/m.exec(procSelfLimits)?.[1]);
  return soft > 0 && Number.isFinite(soft) ? soft : undefined;
}

/** Descriptors for connections of others; Infinity on a system that does not say. */
export function connectionRoom(): number {
  return openFilesLimit() - KEPT;
}

/** `most`, or this share of the room for connections where that is less. */
export function withinRoom(most: number, share: number): number {
  return Math.min(most, Math.floor(connectionRoom() * share));
}

/** Throws a StartError when too few are left to load a daemon's own files and take connections. */
export function checkDescriptors(): void {
  const limit = openFilesLimit();
  if (limit >= LEAST) return;
  throw new StartError(
    `${limit} open files are too few, at least ${LEAST} are needed; raise \`ulimit -n\`, or LimitNOFILE of the unit`,
  );
}

/** Infinity on a system that does not say. */
export function openFilesLimit(): number {
  try {
    return descriptorLimit(readFileSync('/proc/self/limits', 'utf8')) ?? Infinity;
  } catch {
    return Infinity;
  }
}
