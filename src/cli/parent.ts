// What a daemon started by `herald up` says to its parent and hears from it, over Node's IPC channel.

/** From child to parent. */
export type ChildSays =
  | { says: 'ready'; addresses: Record<string, string> }
  | { says: 'failed'; message: string; exitCode: number };

/** From parent to child. */
export type ParentSays = { says: 'squeeze'; shareOfCore: number };

export function tellParent(message: ChildSays): void {
  // A parent that is gone is heard of as such; unheard here, the failed send would end the process as a defect.
  process.send?.(message, () => {});
}

export function hearParent(hear: (message: ParentSays) => void): void {
  if (process.send) process.on('message', (message) => hear(message as ParentSays));
}
