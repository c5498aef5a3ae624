// (6) What the program publishes over one connection: each waits for its turn, is sent once, and is settled by the
// gateway's answer or the end of the connection.

import { asJson } from '../../protocol/decode.ts';
import type { PublishProblem } from './publish-error.ts';
import { MOST_UNANSWERED } from './topic-requests.ts';

/** That wait for their turn; a program that is faster for long is told. */
const MAX_UNSENT = 1_000;
/** Before the body: `{"op":"pub","id":2147483647,`. */
const HEAD_BYTES = 28;
const encoder = new TextEncoder();

/** One that waits for its turn, which the program knows as `publish`. */
export interface Unsent {
  publish: number;
  /** The frame behind its id. */
  body: string;
}

export interface Publications {
  /** Takes one that the program knows as `publish`, in a frame of at most `maxBytes`. */
  add(publish: number, topic: string, data: unknown, maxBytes: number): void;
  /** Takes those that waited elsewhere, in frames of at most `maxBytes`. */
  adopt(waiting: readonly Unsent[], maxBytes: number): void;
  /** Gives away those that wait. */
  takeUnsent(): Unsent[];
  /** The frame to send now, while `others` of the connection's questions are unanswered; to be asked again until none. */
  next(others: number): string | undefined;
  /** False when the answer is to something else. */
  answered(id: number, problem: PublishProblem | undefined): boolean;
  /** Those sent and not answered. */
  unanswered(): number;
  end(): void;
}

/** `nextId` numbers the connection's questions. `settle` is called once for each that was added. */
export function createPublications(
  nextId: () => number,
  settle: (publish: number, problem?: PublishProblem) => void,
): Publications {
  /** Of the program's numbers, by the id of the frame. */
  const unanswered = new Map<number, number>();
  const unsent: Unsent[] = [];

  const queue = (one: Unsent, maxBytes: number): void => {
    const bytes = HEAD_BYTES + encoder.encode(one.body).length;
    // The gateway would end the connection, and with it everything else.
    if (bytes > maxBytes) {
      const why = `a frame of ${bytes} bytes, the gateway takes ${maxBytes}`;
      settle(one.publish, { code: 'too-large', why });
    } else if (unsent.length >= MAX_UNSENT) {
      settle(one.publish, { code: 'queue-full', why: `${MAX_UNSENT} others wait for their turn already` });
    } else unsent.push(one);
  };

  return {
    add(publish, topic, data, maxBytes) {
      const json = asJson(data);
      if (json === undefined) settle(publish, { code: 'bad-json', why: 'the data is not JSON' });
      else queue({ publish, body: `"c":${JSON.stringify(topic)},"d":${json}}` }, maxBytes);
    },
    adopt(waiting, maxBytes) {
      for (const one of waiting) queue(one, maxBytes);
    },
    takeUnsent: () => unsent.splice(0),
    next(others) {
      // Few unanswered ones: what a slow network brings at once is above no limit.
      const one = others + unanswered.size < MOST_UNANSWERED ? unsent.shift() : undefined;
      if (!one) return undefined;
      const id = nextId();
      unanswered.set(id, one.publish);
      return `{"op":"pub","id":${id},${one.body}`;
    },
    answered(id, problem) {
      const publish = unanswered.get(id);
      if (publish === undefined) return false;
      unanswered.delete(id);
      settle(publish, problem);
      return true;
    },
    unanswered: () => unanswered.size,
    end() {
      const why = 'the connection closed before the answer; it may have been published';
      for (const publish of unanswered.values()) settle(publish, { code: 'closed', why });
      unanswered.clear();
      for (const { publish } of unsent.splice(0)) {
        settle(publish, { code: 'not-connected', why: 'the connection closed before its turn came' });
      }
    },
  };
}
