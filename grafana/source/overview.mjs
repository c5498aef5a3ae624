// Herald as Prometheus scrapes it from the admin port: is the balancing right, and is Herald well?
import { dashboard, figure, lines } from './dashboard.mjs';
import { processes, troubles } from './processes.mjs';

const HERE = 'instance=~"$instance"';
const rate = (metric, by, labels = HERE) => `sum by (${by}) (rate(${metric}{${labels}}[$__rate_interval]))`;
/** Replicas see the same gateways, so they are merged by the highest and not added up. */
const worst = (metric, by) => `max by (${by}) (${metric}{${HERE}})`;
const query = (expr, legend) => ({ expr, legend });
const ofProcess = (metric) => query(worst(`herald_process_${metric}`, 'id'), '{{id}}');

export const overview = dashboard({
  uid: 'herald-overview',
  title: 'Herald: overview',
  description: 'Lookups, the load table and the health of every Herald, from /metrics on the admin port.',
  source: 'prometheus',
  variables: [{ name: 'instance', label: 'Herald', query: 'label_values(herald_table_age, instance)' }],
  rows: [
    {
      title: 'Now',
      panels: [
        figure('Lookups', 'reqps', query(`sum(rate(herald_lookups_total{${HERE}}[$__rate_interval]))`)),
        figure(
          'Answered',
          'percentunit',
          query(
            `sum(rate(herald_lookups_total{${HERE}, outcome="ok"}[$__rate_interval])) / sum(rate(herald_lookups_total{${HERE}}[$__rate_interval]))`,
          ),
          {
            max: 1,
            steps: [
              ['red', null],
              ['orange', 0.95],
              ['green', 0.999],
            ],
            help: 'Share of lookups that named a gateway.',
          },
        ),
        figure('Hottest over mean', 'none', query(`max(herald_table_max_over_mean{${HERE}})`), {
          steps: [
            ['green', null],
            ['orange', 1.35],
            ['red', 1.8],
          ],
          help: 'The hottest gateway over the mean expected load. 1 is perfect; a herd shows here first.',
        }),
        figure('Newest report', 'ms', query(`max(herald_table_age{${HERE}})`), {
          steps: [
            ['green', null],
            ['orange', 1_000],
            ['red', 2_000],
          ],
          help: 'Age of the newest load report, at the Herald that is worst off.',
        }),
        figure('Table', 'none', query(`max(herald_table_frozen{${HERE}})`), {
          words: { 0: 'live', 1: 'FROZEN' },
          steps: [
            ['green', null],
            ['red', 1],
          ],
          help: 'Frozen: most gateways fell silent at once, so the last good table is served.',
        }),
        figure('Store', 'none', query(`min(herald_store_connected{${HERE}})`), {
          words: { 0: 'AWAY', 1: 'connected' },
          steps: [
            ['red', null],
            ['green', 1],
          ],
          help: 'While ZooKeeper is away every lookup is still answered, from memory.',
        }),
      ],
    },
    {
      title: 'Lookups',
      panels: [
        lines(
          'Lookups by outcome',
          'reqps',
          [query(rate('herald_lookups_total', 'outcome'), '{{outcome}}')],
          { stack: true },
        ),
        lines('Time to decide', 'ms', [query(worst('herald_lookup_duration_ms', 'stat'), '{{stat}}')], {
          help: 'Of a lookup, once it is read. What it waits before that is the event loop delay below.',
        }),
        lines('Picks by gateway', 'reqps', [query(rate('herald_picks_total', 'gateway'), '{{gateway}}')], {
          stack: true,
        }),
      ],
    },
    {
      title: 'Gateways',
      panels: [
        lines(
          'Expected load',
          'percentunit',
          [query(worst('herald_gateway_expected_score', 'gateway'), '{{gateway}}')],
          {
            help: 'What lookups compare: reported load, corrected for connections not yet visible in it.',
          },
        ),
        lines(
          'Reported load',
          'percentunit',
          [query(worst('herald_gateway_reported_score', 'gateway'), '{{gateway}}')],
          {
            help: 'The tightest signal over its limit, as the gateway reported it.',
          },
        ),
        lines('Connections', 'short', [
          query(worst('herald_gateway_reported_connections', 'gateway'), '{{gateway}}'),
        ]),
        lines('Gateways by state', 'short', [query(worst('herald_gateways', 'state'), '{{state}}')], {
          stack: true,
        }),
        lines(
          'Agent-check weight',
          'percent',
          [query(worst('herald_gateway_weight_percent', 'gateway'), '{{gateway}}')],
          { max: 100 },
        ),
        lines(
          'Open breakers',
          'none',
          [query(worst('herald_gateway_breaker_open', 'gateway'), '{{gateway}}')],
          { max: 1, help: '1: clients who were sent there did not get in, so lookups avoid it.' },
        ),
        lines(
          'Fleet size',
          'short',
          [
            query(worst('herald_size_current', 'pool'), '{{pool}} now'),
            query(worst('herald_size_desired', 'pool'), '{{pool}} advised'),
            query(worst('herald_size_load_sum', 'pool'), '{{pool}} load'),
          ],
          { help: 'Gateways there are, gateways the load asks for, and that load in full gateways.' },
        ),
        lines('Load the size is advised by', 'percentunit', [
          query(worst('herald_size_load_avg', 'pool'), '{{pool}} mean'),
          query(worst('herald_size_load_max', 'pool'), '{{pool}} hottest'),
          query(worst('herald_size_target', 'pool'), '{{pool}} target'),
        ]),
        lines('Connections ordered to move', 'cps', [
          query(rate('herald_moves_ordered_total', 'gateway'), '{{gateway}}'),
        ]),
      ],
    },
    {
      title: 'Inputs and neighbours',
      panels: [
        lines('Load reports by outcome', 'reqps', [
          query(rate('herald_reports_total', 'outcome'), '{{outcome}}'),
        ]),
        lines('Brokers by state', 'short', [query(worst('herald_brokers', 'state'), '{{state}}')], {
          stack: true,
        }),
        lines('Agent-check answers', 'reqps', [
          query(rate('herald_agent_checks_total', 'outcome'), '{{outcome}}'),
        ]),
        lines('Table writes to the store', 'wps', [
          query(rate('herald_store_writes_total', 'outcome'), '{{outcome}}'),
        ]),
      ],
    },
    processes(
      'Herald itself',
      ofProcess,
      troubles(ofProcess),
      lines(
        'Certificate ends in',
        's',
        [query(`min by (id) (herald_process_certificate_seconds{${HERE}})`, '{{id}}')],
        { help: 'Of the public port, where it has TLS.' },
      ),
    ),
  ],
});
