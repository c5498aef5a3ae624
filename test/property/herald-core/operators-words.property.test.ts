// What an operator may say goes on: to the other Heralds through the store, and to the gateway with its order.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeOperatorRequest } from '../../../src/herald/http/operator-request.ts';
import { decodeDesired, encodeDesired } from '../../../src/herald/load-store/desired-entry.ts';
import { decodeFeedbackReply } from '../../../src/reporter/core/feedback-reply.ts';

const reply = (reason: string): string => {
  const drain = { orderId: 'drain-1', reason, spreadMs: 60_000, deadlineMs: 90_000 };
  return JSON.stringify({ periodMs: 500, heraldId: 'h', nowMs: 1, directive: { drain } });
};

it('a reason in any language is taken by whoever it is passed on to', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.constantFrom('Größe prüfen', 'ядро обновить', '検査', 'a\u2028b', 'x'.repeat(200)),
  );
  fc.assert(
    fc.property(texts, (reason) => {
      const wish = decodeOperatorRequest(JSON.stringify({ reason }), 'somebody');
      if (!wish.ok) return;
      const desired = { state: 'drain', ...wish.value, untilEpochMs: 0, saidEpochMs: 1 } as const;
      const stored = decodeDesired(encodeDesired({ desired, forMs: 0 }));
      expect(stored).toMatchObject({ ok: true, value: { desired: { reason } } });
      expect(decodeFeedbackReply(reply(reason))).toMatchObject({
        ok: true,
        value: { directive: { drain: { reason } } },
      });
    }),
  );
  expect(decodeOperatorRequest('{"reason":"Größe prüfen"}', 'somebody')).toMatchObject({ ok: true });
});
