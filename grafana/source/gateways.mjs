// The gateways, from StatsD through Graphite: what they carry, how late, and what they lost.
import { dashboard, figure, lines } from './dashboard.mjs';
import { gaugeBy, highestGauge, rateBy, ratio, totalGauge, totalRate } from './graphite.mjs';
import { processes } from './processes.mjs';

// `:regex`, since Grafana writes several chosen values as a glob, {a,b}, unless told.
const HERE = 'gateway=~^(${gateway:regex})$';
const PROCESS = ['daemon=gateway', 'id=~^(${gateway:regex})$'];

export const gateways = dashboard({
  uid: 'herald-gateways',
  title: 'Herald: gateways',
  description: 'WebSocket gateways, from StatsD.',
  source: 'graphite',
  variables: [
    {
      name: 'gateway',
      label: 'Gateway',
      query: 'tag_values(gateway, name=stats.gauges.gateway.connections)',
    },
  ],
  rows: [
    {
      title: 'Now',
      panels: [
        figure('Connections', 'short', totalGauge('gateway.connections', HERE)),
        figure('Delivered', 'mps', totalRate('gateway.messages_delivered', HERE)),
        figure(
          'Fan-out',
          'none',
          ratio('gateway.messages_delivered', 'gateway.messages_in', [HERE], 'fan-out'),
          {
            help: 'Messages written for each publication received.',
          },
        ),
        figure('Delivery lag, p99', 'ms', highestGauge('gateway.delivery_lag', HERE, 'stat=p99'), {
          steps: [
            ['green', null],
            ['orange', 150],
            ['red', 1_000],
          ],
        }),
        figure('Lost to clients', 'mps', totalRate('gateway.gaps', HERE), {
          steps: [
            ['green', null],
            ['red', 0.001],
          ],
          help: 'Messages flagged to clients as a gap. Anything but zero deserves a look.',
        }),
        figure('Waiting', 'bytes', totalGauge('gateway.buffered_bytes', HERE)),
      ],
    },
    {
      title: 'Connections',
      panels: [
        lines('Connections', 'short', [gaugeBy('gateway', 'gateway.connections', HERE)], { stack: true }),
        lines('Accepted, by ticket', 'cps', [rateBy('ticket', 'gateway.accepted', HERE)], {
          help: 'By what the ticket check said: a fleet without tickets is balanced blindly.',
        }),
        lines('Closed, by cause', 'cps', [rateBy('cause', 'gateway.closed', HERE)]),
        lines('Subscriptions', 'short', [gaugeBy('gateway', 'gateway.subscriptions', HERE)]),
        lines('Brokers', 'short', [gaugeBy('gateway', 'gateway.brokers', HERE)], {
          help: 'That the gateway is connected to. One that has fewer than the others is cut off from some.',
        }),
        lines('Reports not acknowledged', 'reqps', [rateBy('gateway', 'gateway.report_failures', HERE)]),
      ],
    },
    {
      title: 'Messages',
      panels: [
        lines('Publications in', 'mps', [rateBy('gateway', 'gateway.messages_in', HERE)]),
        lines('Messages delivered', 'mps', [rateBy('gateway', 'gateway.messages_delivered', HERE)]),
        lines('Bytes delivered', 'Bps', [rateBy('gateway', 'gateway.bytes_delivered', HERE)]),
        lines('Delivery lag, p99', 'ms', [gaugeBy('gateway', 'gateway.delivery_lag', HERE, 'stat=p99')], {
          help: 'From publish to write, measured on the canary that passes every hop each second.',
        }),
        lines('Flush, p99', 'ms', [gaugeBy('gateway', 'gateway.flush_duration', HERE, 'stat=p99')]),
        lines(
          'Traced messages, p99 by stretch',
          'ms',
          [gaugeBy('hop', 'gateway.trace_hop', HERE, 'stat=p99')],
          {
            help: 'One publication in 10,000, and those traced on demand: GET /v1/traces of the gateway has each.',
          },
        ),
        lines('Waiting for clients', 'bytes', [gaugeBy('gateway', 'gateway.buffered_bytes', HERE)]),
        lines('Dropped, by cause', 'mps', [rateBy('cause', 'gateway.messages_dropped', HERE)]),
        lines('Gaps told to clients', 'mps', [rateBy('gateway', 'gateway.gaps', HERE)]),
        lines('Saved by compression', 'Bps', [rateBy('gateway', 'gateway.deflate_saved_bytes', HERE)]),
      ],
    },
    processes(
      'Processes',
      (metric) => gaugeBy('id', `herald.process.${metric}`, ...PROCESS),
      lines('Certificate ends in', 's', [gaugeBy('id', 'herald.process.certificate_seconds', ...PROCESS)], {
        help: 'Of the port of clients, where it has TLS.',
      }),
    ),
  ],
});
