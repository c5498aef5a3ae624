// The brokers, from StatsD through Graphite: what passes, what was refused, what was asked for again; and the bridges
// between clusters, where there are any.
import { dashboard, figure, lines } from './dashboard.mjs';
import { gaugeBy, rateBy, totalGauge, totalRate } from './graphite.mjs';
import { processes, troubles } from './processes.mjs';

// `:regex`, since Grafana writes several chosen values as a glob, {a,b}, unless told.
const HERE = 'broker=~^(${broker:regex})$';
const BRIDGE = 'bridge=~^(${bridge:regex})$';
const PROCESS = ['daemon=broker', 'id=~^(${broker:regex})$'];
const ofProcess = (metric) => gaugeBy('id', `herald.process.${metric}`, ...PROCESS);

export const brokers = dashboard({
  uid: 'herald-brokers',
  title: 'Herald: brokers',
  description: 'Publication brokers and bridges between clusters, from StatsD.',
  source: 'graphite',
  variables: [
    { name: 'broker', label: 'Broker', query: 'tag_values(broker, name=stats.gauges.broker.topics)' },
    {
      name: 'bridge',
      label: 'Bridge',
      query: 'tag_values(bridge, name=stats.counters.bridge.messages_passed.rate)',
    },
  ],
  rows: [
    {
      title: 'Now',
      panels: [
        figure('Accepted', 'mps', totalRate('broker.messages_in', HERE)),
        figure('Handed on', 'mps', totalRate('broker.messages_out', HERE)),
        figure('Refused', 'mps', totalRate('broker.refused', HERE), {
          steps: [
            ['green', null],
            ['orange', 0.001],
          ],
        }),
        figure('Asked for again', 'mps', totalRate('broker.repairs', HERE), {
          steps: [
            ['green', null],
            ['orange', 0.001],
          ],
        }),
        figure('Topics', 'short', totalGauge('broker.topics', HERE)),
        figure('Repair rings', 'bytes', totalGauge('broker.ring_bytes', HERE)),
      ],
    },
    {
      title: 'Messages',
      panels: [
        lines('Accepted from publishers', 'mps', [rateBy('broker', 'broker.messages_in', HERE)], {
          help: 'A bucket has one owner, so the shares follow the topics.',
        }),
        lines('Handed to gateways', 'mps', [rateBy('broker', 'broker.messages_out', HERE)]),
        lines('Duplicates', 'mps', [rateBy('broker', 'broker.duplicates', HERE)], {
          help: 'Publications sent again after a lost ack, and refused the second time.',
        }),
        lines('Refused, by cause', 'mps', [rateBy('cause', 'broker.refused', HERE)]),
        lines('Repairs, by outcome', 'mps', [rateBy('outcome', 'broker.repairs', HERE)]),
        lines('Topics', 'short', [gaugeBy('broker', 'broker.topics', HERE)]),
        lines('Repair rings', 'bytes', [gaugeBy('broker', 'broker.ring_bytes', HERE)]),
      ],
    },
    {
      title: 'Bridges',
      panels: [
        lines('Passed to the other cluster', 'mps', [rateBy('bridge', 'bridge.messages_passed', BRIDGE)]),
        lines('Not passed, by cause', 'mps', [rateBy('cause', 'bridge.messages_lost', BRIDGE)], {
          help: 'The other cluster is told no gap for these. The log of the bridge says of which bucket.',
        }),
      ],
    },
    processes('Processes', ofProcess, troubles(ofProcess)),
  ],
});
