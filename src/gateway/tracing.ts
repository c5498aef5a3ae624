// (8) Joins the book of traces to the feed, the flush and who looks at it: metrics for each stretch, a line in the log.

import { createFineClock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import type { Metrics, Timing } from '../daemon/metrics.ts';
import type { TracedArrival } from './core/feed-port.ts';
import type { Hub } from './core/hub.ts';
import type { TraceRecord, TraceStretch } from './core/trace-book.ts';
import { TRACE_STRETCHES, TraceBook } from './core/trace-book.ts';

export class Tracing {
  readonly #hub: Hub;
  readonly #log: Log;
  readonly #fineMs = createFineClock();
  readonly #timings: ReadonlyMap<TraceStretch, Timing>;
  readonly book: TraceBook;

  constructor(gateway: string, hub: Hub, metrics: Metrics, log: Log) {
    this.#hub = hub;
    this.#log = log;
    this.#timings = new Map(
      TRACE_STRETCHES.map((hop) => [hop, metrics.timing('gateway.trace_hop', { gateway, hop })]),
    );
    this.book = new TraceBook(gateway, (record) => this.#note(record));
  }

  arrived(traced: TracedArrival): void {
    const { marks, subscribers } = this.#hub.marksOf(traced.topic);
    this.book.arrived(traced, marks, subscribers, this.#fineMs());
  }

  flushed(): void {
    this.book.flushed(this.#fineMs);
  }

  #note(record: TraceRecord): void {
    for (const [hop, timing] of this.#timings) {
      const ms = record.spentMs[hop];
      // Two machines' clocks may say that it arrived before it left.
      if (ms !== undefined) timing.observe(Math.max(0, ms));
    }
    this.#log.debug('trace', { ...record });
  }
}
