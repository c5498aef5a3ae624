// A file of helpshift/herald served to a real HAProxy.

import { describe, it } from 'vitest';
import { freePort } from '../../launch/free-port.ts';
import { launchHaproxy } from '../../launch/haproxy.ts';
import { requireServer } from '../../launch/require-server.ts';
import { cleanUps, heraldWith, json, service } from './helpshift-rig.ts';
import { becomes, defaults } from './rig.ts';

describe.runIf(requireServer('haproxy'))('on a real HAProxy', () => {
  it('weights follow, drain and down are lifted again, and stopping is neutral', async () => {
    const port = await freePort();
    const real = await service(json({ health: 'healthy', rate: 1_750 }));
    const { port: servicePort } = new URL(real.url);
    // The example file of the original, with an up to date spelling of nothing.
    // It must stay until HAProxy, which asks every 200 ms, has heard that it stops.
    const started = await heraldWith(
      { agentFarewellMs: 2_500 },
      `---
name: api77
bind: 127.0.0.1
port: ${port}
plugins:
  - name: api_service
    herald_plugin_name: herald_http
    url: ${real.url}
    is_json: yes
    stop_timeout: 10
    interval: 0.1
    staleness_interval: 10
    staleness_response: noop
    patterns_metric: "r['health']"
    patterns:
      - ready: '.*healthy.*'
      - down: '.*unhealthy.*'
      - drain: '.*maxed.*'
    thresholds_metric: "r['rate']"
    thresholds:
      - drain: ">7000"
      - down: 0
      - pct: 7000
        min_threshold_response: 1
    default_response: noop
`,
    );
    // The backend of the original's README: no agent-addr, so HAProxy asks the server's own host.
    const haproxy = await launchHaproxy(`${defaults()}
backend myservers
  balance roundrobin
  server myserver01 127.0.0.1:${servicePort} weight 100 check inter 500ms agent-check agent-port ${port} agent-inter 200ms
`);
    cleanUps.push(() => haproxy.stop());
    const server = 'myserver01';
    await becomes(haproxy, server, '75', ({ weight, status }) => weight === 75 && status === 'UP', 8_000);
    real.answer = json({ health: 'healthy', rate: 7_001 });
    await becomes(haproxy, server, 'drained', ({ status }) => status.includes('DRAIN'), 8_000);
    real.answer = json({ health: 'healthy', rate: 3_500 });
    await becomes(haproxy, server, 'lifted', ({ weight, status }) => weight === 50 && status === 'UP', 8_000);
    real.answer = json({ health: 'healthy', rate: 0 });
    await becomes(haproxy, server, 'down', ({ status }) => status.startsWith('DOWN'), 8_000);
    real.answer = json({ health: 'healthy', rate: 6_999 });
    await becomes(haproxy, server, 'least', ({ weight, status }) => weight === 1 && status === 'UP', 8_000);
    const closing = started.close();
    await becomes(
      haproxy,
      server,
      'neutral',
      ({ weight, status }) => weight === 100 && status === 'UP',
      8_000,
    );
    await closing;
  });
});
