// (6) What the program waits for when it publishes: a promise for each, by the number that its machine knows it by.

import type { PublishProblem } from './core/publish-error.ts';
import { PublishError } from './core/publish-error.ts';

export interface PublishPromises {
  /** One more, under the number that `begin` is given. */
  open(begin: (publish: number) => void): Promise<void>;
  /** Ends it: it resolves, or rejects with a PublishError. */
  settle(publish: number, problem?: PublishProblem): void;
}

export function createPublishPromises(): PublishPromises {
  const waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  let last = 0;
  return {
    open: (begin) =>
      new Promise((resolve, reject) => {
        last += 1;
        waiting.set(last, { resolve, reject });
        begin(last);
      }),
    settle(publish, problem) {
      const promise = waiting.get(publish);
      waiting.delete(publish);
      if (problem === undefined) promise?.resolve();
      else promise?.reject(new PublishError(problem));
    },
  };
}
