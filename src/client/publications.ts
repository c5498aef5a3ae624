// (6) What the program publishes over one connection: each waits for its turn, is sent once, and is settled by the
// gateway's answer or the end of the connection.

import { asJson } from '../protocol/decode.ts';
import type { PublishProblem } from './publish-error.ts';
import { MOST_UNANSWERED } from './topic-requests.ts';

/** That wait for their turn; a program that is faster for long is told. */
const MAX_UNSENT = 1_000;
const encoder = new TextEncoder();

export interface Publications {
  /** Takes one that the program knows as `publish`, in a frame of at most `maxBytes`. */
  add(publish: number, topic: string, data: unknown, maxBytes: number): void;
  /** The frame to send now, while `others` of the connection's questions are unanswered; to be asked again until none. */
  next(others: number): string | undefined;
  /** False when the answer is to something else. */
  answered(id: number, problem: PublishProblem | undefined): boolean;
  end(): void;
}

/** `nextId` numbers the connection's questions. `settle` is called once for each that was added. */
export function createPublications(
  nextId: () => number,
  settle: (publish: number, problem?: PublishProblem) => void,
): Publications {
  /** Of the program's numbers, by the id of the frame; those that wait for their turn are among them. */
  const unanswered = new Map<number, number>();
  const unsent: string[] = [];
  return {
    add(publish, topic, data, maxBytes) {
      const json = asJson(data);
      if (json === undefined) {
        settle(publish, { code: 'bad-json', why: 'the data is not JSON' });
        return;
      }
      const id = nextId();
      const text = `{"op":"pub","id":${id},"c":${JSON.stringify(topic)},"d":${json}}`;
      const bytes = encoder.encode(text).length;
      // The gateway would end the connection, and with it everything else.
      if (bytes > maxBytes) {
        settle(publish, {
          code: 'too-large',
          why: `a frame of ${bytes} bytes, the gateway takes ${maxBytes}`,
        });
      } else if (unsent.length >= MAX_UNSENT) {
        settle(publish, { code: 'queue-full', why: `${MAX_UNSENT} others wait for their turn already` });
      } else {
        unanswered.set(id, publish);
        unsent.push(text);
      }
    },
    // Few unanswered ones: what a slow network brings at once is above no limit.
    next: (others) =>
      others + unanswered.size - unsent.length < MOST_UNANSWERED ? unsent.shift() : undefined,
    answered(id, problem) {
      const publish = unanswered.get(id);
      if (publish === undefined) return false;
      unanswered.delete(id);
      settle(publish, problem);
      return true;
    },
    end() {
      for (const publish of unanswered.values()) {
        settle(publish, { code: 'closed', why: 'the connection closed first' });
      }
      unanswered.clear();
      unsent.length = 0;
    },
  };
}
