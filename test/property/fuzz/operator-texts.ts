// What operators, their tools and HAProxy ask of a Herald, and the files they give it.

import type { AgentRequest } from '../../../src/protocol/agent-check.ts';
import { decodeAgentRequest } from '../../../src/protocol/agent-check.ts';
import { decodeTable } from '../../../src/checks/core/table.ts';
import { decodeHelpshift } from '../../../src/herald/core/helpshift/helpshift-config.ts';
import { decodeMoverRequest, decodeOperatorRequest } from '../../../src/herald/http/operator-request.ts';
import { decodeTableQuery } from '../../../src/herald/http/table-view.ts';
import type { FuzzedDecoder } from './fuzzed-decoder.ts';
import { inJson, json, ofJson, ofText, text, texts } from './fuzzed-decoder.ts';

export const OPERATOR_TEXTS: Readonly<Record<string, FuzzedDecoder>> = {
  decodeTableQuery: {
    decode: (bytes) => decodeTableQuery(new URLSearchParams(text(bytes))),
    examples: texts('order=picks&pool=p', 'order=age'),
    takesNoise: true,
  },
  decodeAgentRequest: {
    decode: ofText(decodeAgentRequest),
    examples: texts('be/srv\r', 'gateway-1'),
    encode: ({ backend, server }: AgentRequest) => (backend === '' ? server : `${backend}/${server}`),
    takesNoise: true,
  },
  decodeOperatorRequest: {
    decode: ofText((body) => decodeOperatorRequest(body, 'someone')),
    examples: json({ reason: 'r', forMs: 1_000, author: 'a' }),
    encode: inJson,
    // No body at all is a request without a reason.
    takesNoise: true,
  },
  decodeMoverRequest: {
    decode: ofText((body) => decodeMoverRequest(body, 'someone')),
    examples: json({ mode: 'dry-run', pool: 'chat', reason: 'r', author: 'a' }, { mode: 'off' }),
    encode: inJson,
  },
  decodeHelpshift: {
    decode: ofJson(decodeHelpshift),
    examples: json({
      name: 's',
      bind: '127.0.0.1',
      port: 5555,
      plugins: [
        {
          name: 'load',
          herald_plugin_name: 'herald_file',
          file_path: '/f',
          interval: 1,
          staleness_interval: 10,
          staleness_response: 'noop',
          thresholds_metric: 'float(r.split()[0])',
          thresholds: [{ pct: 64, min_threshold_response: 1 }, { drain: '>7' }, { down: 0 }],
        },
        {
          name: 'up',
          herald_plugin_name: 'herald_http',
          url: 'http://h/x',
          is_json: true,
          default_response: 'down',
          patterns_metric: "r['s']",
          patterns: [{ up: '.*ok.*' }],
        },
      ],
    }),
    // Compiled: an expression as a tree, a pattern as a RegExp.
    free: /^value\.plugins\.\d+\.rules\b/,
  },
  decodeTable: {
    decode: ofJson(decodeTable),
    examples: json({
      ageMs: 3,
      frozen: false,
      gateways: [{ gateway: 'g', pool: 'p', effectiveState: 'up', expectedScore: 0.5, connections: 4 }],
    }),
  },
};
