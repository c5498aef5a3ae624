// Deciding is quick while its code and the table are in the processor's caches, and sending an answer evicts them. So
// the requests of a burst are all decided first, and then all answered.

import type { Clock } from '../../daemon/clock.ts';

/** Closer together than this, 5,000 a second, requests are a burst. Putting off one alone costs more than it saves. */
const BURST_GAP_MS = 0.2;

/**
 * Takes requests with what they are answered through. One that comes alone is decided and sent at once; in a burst, all
 * that come in one turn of the event loop are decided in their order when it ends, and sent in the same order.
 */
export function inBursts<Request, Response, Answer>(
  clock: Clock,
  decide: (request: Request) => Answer,
  send: (response: Response, answer: Answer) => void,
): (request: Request, response: Response) => void {
  let lastMs = -Infinity;
  let requests: Request[] = [];
  let responses: Response[] = [];
  const answerAll = (): void => {
    const answers = requests.map(decide);
    const waiting = responses;
    requests = [];
    responses = [];
    for (let i = 0; i < answers.length; i++) send(waiting[i]!, answers[i]!);
  };
  return (request, response) => {
    const nowMs = clock.nowMs();
    const isBurst = nowMs - lastMs < BURST_GAP_MS;
    lastMs = nowMs;
    if (!isBurst && requests.length === 0) {
      send(response, decide(request));
      return;
    }
    responses.push(response);
    if (requests.push(request) === 1) setImmediate(answerAll);
  };
}
