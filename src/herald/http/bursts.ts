// Deciding is quick where its code and table are still in the processor's caches, and every answer that is sent
// throws them out. So requests that come one upon the other are decided one after the other, and then sent.

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
  let waiting: { request: Request; response: Response }[] = [];
  const answerAll = (): void => {
    const burst = waiting;
    waiting = [];
    const answers = burst.map(({ request }) => decide(request));
    for (const [i, { response }] of burst.entries()) send(response, answers[i]!);
  };
  return (request, response) => {
    const nowMs = clock.nowMs();
    const isBurst = nowMs - lastMs < BURST_GAP_MS;
    lastMs = nowMs;
    if (!isBurst && waiting.length === 0) send(response, decide(request));
    else if (waiting.push({ request, response }) === 1) setImmediate(answerAll);
  };
}
