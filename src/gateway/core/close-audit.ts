// (8) The last closes with their cause, for the question every operator asks: why did they all disconnect?

import { closeName } from '../../protocol/close-codes.ts';

export interface CloseRecord {
  conn: string;
  /** What ended it: a name of ours, or what the client or the network did. */
  cause: string;
  code: number;
  atEpochMs: number;
  livedMs: number;
  /** Messages it was given. */
  messages: number;
}

export const KEPT_CLOSES = 1_000;

export class CloseAudit {
  readonly #records: CloseRecord[] = [];
  #next = 0;
  readonly byCause = new Map<string, number>();

  add(record: CloseRecord): void {
    this.#records[this.#next] = record;
    this.#next = (this.#next + 1) % KEPT_CLOSES;
    this.byCause.set(record.cause, (this.byCause.get(record.cause) ?? 0) + 1);
  }

  /** Newest first. */
  last(count = KEPT_CLOSES): CloseRecord[] {
    const found: CloseRecord[] = [];
    for (let i = 1; i <= Math.min(count, this.#records.length); i++) {
      const record = this.#records[(this.#next - i + KEPT_CLOSES) % KEPT_CLOSES];
      if (record) found.push(record);
    }
    return found;
  }
}

/**
 * A bounded set of words for the metric: who ended it, and why if it was this side. `isOurs`: the gateway chose the code,
 * also as the answer to broken framing; a client may send any code, ours among them.
 */
export function closeCause(code: number, isOurs: boolean): string {
  if (code === 1000 || code === 1001 || code === 1005) return 'client-left';
  if (code === 1006) return 'connection-lost';
  if (!isOurs) return 'client-code';
  const name = closeName(code);
  return name === 'other' ? `ws-${code}` : name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
