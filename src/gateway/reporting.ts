// (1) What this gateway tells Herald of itself, and what it does when Herald answers with an order.

import type { Directive } from '../protocol/load-report.ts';
import type { YoungConnections } from '../protocol/young-connections.ts';
import type { Reporter } from '../reporter/index.ts';
import { startReporter } from '../reporter/index.ts';
import { parsePairs } from './core/label-pairs.ts';
import { VirtualLoad } from './core/virtual-capacity.ts';
import { WindowedRate } from './core/windowed-rate.ts';
import type { FanOut } from './clients/fan-out.ts';
import type { GatewayParts } from './gateway-parts.ts';
import type { Moving } from './clients/moving.ts';
import type { Roster } from './clients/roster.ts';

export interface ReportingParts {
  parts: GatewayParts;
  url: string;
  roster: Roster;
  young: YoungConnections;
  fanOut: FanOut;
  moving: Moving;
  acceptedTotal: () => number;
}

export interface Reporting {
  /** Undefined when no Herald is configured. */
  reporter: Reporter | undefined;
  /** Only in virtual capacity mode. */
  virtual: VirtualLoad | undefined;
  close(): Promise<void>;
}

export function startReporting(of: ReportingParts): Reporting {
  const { parts, roster, young, fanOut, moving } = of;
  const { config, clock, hub, link, admission, log } = parts;
  const messages = new WindowedRate();
  const bytes = new WindowedRate();
  const virtual =
    config.virtualCapacity > 0
      ? new VirtualLoad({
          capacity: config.virtualCapacity,
          tokensPerSec: config.virtualTokensPerSec,
          messageTokens: config.virtualMessageTokens,
          acceptTokens: config.virtualAcceptTokens,
        })
      : undefined;

  const signals = (): Record<string, number | undefined> => {
    const nowMs = clock.nowMs();
    return {
      messagesPerSec: messages.perSec(hub.ledger.delivered + hub.ledger.replayed, nowMs),
      bytesPerSec: bytes.perSec(parts.deliveredBytes, nowMs),
      bufferedBytes: roster.buffers.bytes,
      deliveryLagMs: link.snapshot().canaryMs + fanOut.lagMs(),
      // One measured signal left in would speak for the machine and not for the capacity that is played.
      ...(virtual && { ...NOT_MEASURED, cpu: virtual.load(hub.ledger.delivered, of.acceptedTotal(), nowMs) }),
    };
  };

  const obey = (directive: Directive): void => {
    if ('shed' in directive) {
      const now = reporter?.snapshot().signals;
      const load = config.capacity * Math.max(now?.cpu ?? 0, now?.eventLoop ?? 0);
      const moved = moving.shed(directive.shed, load);
      log.info('shed', { order: directive.shed.orderId, asked: directive.shed.count, moved });
      return;
    }
    if ('drain' in directive) {
      log.info('drain', { order: directive.drain.orderId, reason: directive.drain.reason });
      moving.drain(directive.drain);
    } else {
      log.info('ready-again', { order: directive.ready.orderId });
      moving.ready();
    }
    reporter?.setState(moving.state);
  };

  const reporter =
    config.heralds.length === 0
      ? undefined
      : startReporter({
          heralds: config.heralds,
          gateway: parts.id,
          url: of.url,
          pool: config.pool,
          zone: config.zone,
          labels: parsePairs(config.labels),
          capacity: config.capacity,
          secret: config.secret,
          previousSecret: config.previousSecret,
          counters: () => ({
            connections: roster.size,
            acceptedTotal: of.acceptedTotal(),
            tickets: admission.admitted(),
            maxConnections: config.maxConnections,
            youngConnections: young.value(clock.nowMs()),
            ...(config.deflate !== 'off' && { compressing: hub.compressing }),
          }),
          signals,
          onDirective: obey,
          // A Herald that has just started knows none yet: the last list stands.
          onBrokers: (brokers) => {
            if (brokers.length > 0) link.setBrokers(brokers);
          },
          log,
          clock,
          random: parts.random,
        });

  return {
    reporter,
    virtual,
    close: async () => {
      await reporter?.close();
    },
  };
}

const NOT_MEASURED = {
  throttled: undefined,
  eventLoop: undefined,
  loopDelayP99Ms: undefined,
  memory: undefined,
  descriptors: undefined,
} as const;
