// Nearly every descriptor of this process is open: told before there is none left. ZeroMQ accepts all who come, and of one
// that it cannot take any more it is told again and again, at the cost of most of a core.

import { every } from './clock.ts';
import type { Log } from './log.ts';
import { createDescriptorMeter } from './open-descriptors.ts';

/** Mute strangers are let go after three. */
const LOOK_MS = 1_000;
const NEARLY_ALL = 0.9;

export interface DescriptorWatch {
  /** What is wrong, while it is. */
  trouble: () => string | undefined;
  stop: () => void;
}

export function watchDescriptors(log: Log): DescriptorWatch {
  const descriptors = createDescriptorMeter();
  let trouble: string | undefined;
  const look = async (): Promise<void> => {
    const { open, limit } = (await descriptors()) ?? { open: 0, limit: Infinity };
    const isShort = open >= limit * NEARLY_ALL;
    if (isShort && trouble === undefined) log.warn('descriptors-nearly-gone', { open, limit });
    if (!isShort && trouble !== undefined) log.info('descriptors-free-again', { open, limit });
    trouble = isShort ? `${open} of ${limit} file descriptors are open; raise LimitNOFILE` : undefined;
  };
  return { trouble: () => trouble, stop: every(LOOK_MS, () => void look()) };
}
