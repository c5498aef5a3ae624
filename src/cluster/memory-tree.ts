// The tree of entries behind the memory store, with ZooKeeper's rules: versions, children, owners, one-shot
// watches. One tree may serve several sessions, which is how tests run several Heralds in one process.

import type { Entry, Outcome, Stamp } from './coordination.ts';
import { parentOf } from './session.ts';

interface Node {
  data: string;
  version: number;
  modifiedMs: number;
  owner: string;
  children: Set<string>;
}

const refuse = (why: 'no-node' | 'exists' | 'version' | 'not-empty' | 'fenced') =>
  ({ ok: false, why }) as const;

export class MemoryTree {
  /** Changes when a new leader's clock takes over; raised by tests. */
  clockEpoch = 1;
  readonly #epochMs: () => number;
  readonly #nodes = new Map<string, Node>([['/', newNode('', '', 0)]]);
  readonly #entryWatches = new Map<string, Set<() => void>>();
  readonly #childWatches = new Map<string, Set<() => void>>();

  constructor(epochMs: () => number) {
    this.#epochMs = epochMs;
  }

  read(path: string, onChange?: () => void): Outcome<Entry> {
    if (onChange) add(this.#entryWatches, path, onChange);
    const node = this.#nodes.get(path);
    return node ? { ok: true, value: { ...this.#stamp(node), data: node.data } } : refuse('no-node');
  }

  names(path: string, onChange?: () => void): Outcome<string[]> {
    const node = this.#nodes.get(path);
    if (onChange) add(node ? this.#childWatches : this.#entryWatches, path, onChange);
    return node ? { ok: true, value: [...node.children] } : refuse('no-node');
  }

  create(path: string, data: string, owner: string): Outcome<void> {
    if (this.#nodes.has(path)) return refuse('exists');
    const parent = parentOf(path);
    if (!this.#nodes.has(parent)) this.create(parent, '', '');
    this.#nodes.set(path, newNode(data, owner, this.#epochMs()));
    this.#nodes.get(parent)?.children.add(path.slice(path.lastIndexOf('/') + 1));
    fire(this.#entryWatches, path);
    fire(this.#childWatches, parent);
    return { ok: true, value: undefined };
  }

  write(path: string, data: string, version: number): Outcome<Stamp> {
    const node = this.#nodes.get(path);
    if (!node) return refuse('no-node');
    if (version !== -1 && version !== node.version) return refuse('version');
    node.data = data;
    node.version += 1;
    node.modifiedMs = this.#epochMs();
    fire(this.#entryWatches, path);
    return { ok: true, value: this.#stamp(node) };
  }

  remove(path: string, version: number): Outcome<void> {
    const node = this.#nodes.get(path);
    if (!node) return refuse('no-node');
    if (version !== -1 && version !== node.version) return refuse('version');
    if (node.children.size > 0 || path === '/') return refuse('not-empty');
    const parent = parentOf(path);
    this.#nodes.delete(path);
    this.#nodes.get(parent)?.children.delete(path.slice(path.lastIndexOf('/') + 1));
    fire(this.#entryWatches, path);
    fire(this.#childWatches, path);
    fire(this.#childWatches, parent);
    return { ok: true, value: undefined };
  }

  acquire(path: string, data: string, epochPath: string, owner: string): Outcome<number> {
    if (this.#nodes.has(path)) return refuse('exists');
    if (!this.#nodes.has(epochPath)) this.create(epochPath, '', '');
    this.create(path, data, owner);
    const raised = this.write(epochPath, owner, -1);
    return raised.ok ? { ok: true, value: raised.value.version } : raised;
  }

  fencedWrite(epochPath: string, epoch: number, path: string, data: string): Outcome<void> {
    if (this.#nodes.get(epochPath)?.version !== epoch) return refuse('fenced');
    if (!this.#nodes.has(path)) this.create(path, '', '');
    this.write(path, data, -1);
    return { ok: true, value: undefined };
  }

  /** What a server does when a session ends. */
  removeOwnedBy(owner: string): void {
    for (const [path, node] of this.#nodes) if (node.owner === owner) this.remove(path, -1);
  }

  #stamp(node: Node): Stamp {
    const { version, modifiedMs, owner } = node;
    return { version, modifiedMs, owner, clockEpoch: this.clockEpoch };
  }
}

function newNode(data: string, owner: string, modifiedMs: number): Node {
  return { data, version: 0, modifiedMs, owner, children: new Set() };
}

function add(watches: Map<string, Set<() => void>>, path: string, listener: () => void): void {
  const listeners = watches.get(path);
  if (listeners) listeners.add(listener);
  else watches.set(path, new Set([listener]));
}

function fire(watches: Map<string, Set<() => void>>, path: string): void {
  const listeners = watches.get(path);
  watches.delete(path);
  for (const listener of listeners ?? []) queueMicrotask(listener);
}
