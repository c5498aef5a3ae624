// What one plugin knows and what it answers. helpshift/herald answers an empty line when it knows nothing, and
// HAProxy then keeps its last word for ever; here every state has a whole line of its own.

import type { AgentAnswer } from '../../../protocol/agent-check.ts';
import type { Decoded } from '../../../protocol/decode.ts';
import type { AgentWords } from './agent-words.ts';
import { wholeAnswer } from './agent-words.ts';
import type { HelpshiftPlugin } from './helpshift-config.ts';
import { judge } from './rules.ts';
import type { PythonValue } from './python-value.ts';

export interface PluginState {
  /** What the rules said last; undefined until they could say anything. */
  words: AgentWords | undefined;
  /** When that was, or the start. */
  heardAtMs: number;
}

export function newPluginState(nowMs: number): PluginState {
  return { words: undefined, heardAtMs: nowMs };
}

/**
 * Takes a reading. One that the rules cannot compute with leaves everything as it was, to grow stale, and is
 * returned as the refusal it is.
 */
export function takeReading(
  state: PluginState,
  plugin: HelpshiftPlugin,
  r: PythonValue,
  nowMs: number,
): Decoded<unknown> {
  const judged = judge(plugin.rules, r);
  if (judged.ok) {
    state.words = judged.value ?? withReason(plugin.defaultResponse, 'no rule matches');
    state.heardAtMs = nowMs;
  }
  return judged;
}

/** `late`: a plugin that reads when asked could not do so in time, so whatever it knew counts as stale. */
export function pluginAnswer(
  state: PluginState,
  plugin: HelpshiftPlugin,
  nowMs: number,
  late = false,
): AgentAnswer {
  const ageMs = nowMs - state.heardAtMs;
  if (late || (plugin.stalenessMs > 0 && ageMs > plugin.stalenessMs)) {
    const reason = late
      ? 'stale: no reading in time'
      : `stale: no reading for ${Math.round(ageMs / 1_000)} s`;
    return wholeAnswer(withReason(staleWords(plugin.stalenessResponse), reason));
  }
  return wholeAnswer(state.words ?? { reason: 'no reading yet' });
}

/**
 * Where the file wants nothing said of a stale server, the least weight is: it takes hardly anything while others
 * are well, and all stale at once still share the load evenly, which `down` for everybody would end.
 */
function staleWords(response: AgentWords): AgentWords {
  return Object.keys(response).length === 0 ? { weightPercent: 1 } : response;
}

function withReason(words: AgentWords, reason: string): AgentWords {
  return { reason, ...words };
}
