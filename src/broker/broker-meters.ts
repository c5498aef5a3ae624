// Turns the core's totals into the metrics of the catalogue, once a second.

import type { Metrics } from '../daemon/metrics.ts';
import type { BrokerCoreSnapshot } from './core/broker-core.ts';

export interface BrokerMeters {
  update(now: BrokerCoreSnapshot): void;
}

export function createBrokerMeters(metrics: Metrics, broker: string): BrokerMeters {
  const messagesIn = rising(metrics.counter('broker.messages_in', { broker }));
  const messagesOut = rising(metrics.counter('broker.messages_out', { broker }));
  const duplicates = rising(metrics.counter('broker.duplicates', { broker }));
  const repairs = rising(metrics.counter('broker.repairs', { broker, outcome: 'sent' }));
  const topics = metrics.gauge('broker.topics', { broker });
  const ringBytes = metrics.gauge('broker.ring_bytes', { broker });
  const refused = new Map<string, (total: number) => void>();

  return {
    update({ ledger, repaired, ...rest }) {
      messagesIn(ledger.received);
      messagesOut(ledger.forwarded + ledger.canaries);
      duplicates(ledger.duplicates);
      repairs(repaired);
      topics.set(rest.topics);
      ringBytes.set(rest.ringBytes);
      for (const [cause, total] of Object.entries({ ...ledger.refused, draining: ledger.drained })) {
        const known = refused.get(cause) ?? rising(metrics.counter('broker.refused', { broker, cause }));
        refused.set(cause, known);
        known(total);
      }
    },
  };
}

/** A counter fed with totals. */
function rising(counter: { add(count: number): void }): (total: number) => void {
  let last = 0;
  return (total) => {
    counter.add(total - last);
    last = total;
  };
}
