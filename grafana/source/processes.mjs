// What each daemon tells of its own process, the same on every dashboard. `of` makes the query of a metric
// (docs/metrics.md) from the last part of its name: `cpu` for herald.process.cpu. `more`: panels of this kind of daemon alone.
import { lines } from './dashboard.mjs';

/** Of daemons that can be degraded. */
export const troubles = (of) =>
  lines('Troubles', 'short', [of('degraded')], { help: 'Its /readyz names them.' });

export function processes(title, of, ...more) {
  return {
    title,
    panels: [
      lines('CPU', 'none', [of('cpu')], { help: 'In cores.' }),
      lines('Event loop', 'percentunit', [of('event_loop')], { max: 1 }),
      lines('Event loop delay', 'ms', [of('loop_delay')], {
        help: 'How late it is, 99th percentile: what all that comes to this process waits.',
      }),
      lines('Memory', 'bytes', [of('memory_bytes')]),
      lines('File descriptors', 'percentunit', [of('descriptors')], {
        max: 1,
        help: 'Open, over what the process may have.',
      }),
      ...more,
    ],
  };
}
