// One plugin at work: reads on its interval, or when asked where that is 0, and never twice at a time.

import type { Clock } from '../../daemon/clock.ts';
import type { Log } from '../../daemon/log.ts';
import type { AgentAnswer } from '../../protocol/agent-check.ts';
import type { HelpshiftPlugin } from '../core/helpshift/helpshift-config.ts';
import { newPluginState, pluginAnswer, takeReading as judgeReading } from '../core/helpshift/plugin-state.ts';
import { judgementText } from '../core/helpshift/rules.ts';
import { takeReading } from './take-reading.ts';

export interface PolledPlugin {
  /** At once, or within `INLINE_WAIT_MS` where the plugin reads when asked or its first reading is under way. */
  answer(): AgentAnswer | Promise<AgentAnswer>;
  stop(): void;
}

/** Below the second after which an agent-check is cut. */
const INLINE_WAIT_MS = 700;
/** So that the agents of a fleet do not ask in step. */
const JITTER = 0.1;

export function startPolledPlugin(plugin: HelpshiftPlugin, clock: Clock, log: Log): PolledPlugin {
  const state = newPluginState(clock.nowMs());
  const stopped = new AbortController();
  let trouble = '';
  let underWay: Promise<boolean> | undefined;
  let timer: NodeJS.Timeout | undefined;

  /** True when the rules could judge what was read. */
  const poll = async (): Promise<boolean> => {
    const { r, problem } = await takeReading(plugin, stopped.signal);
    if (stopped.signal.aborted) return false;
    const judged = judgeReading(state, plugin, r, clock.nowMs());
    note(problem ?? judgementText(judged));
    return judged.ok;
  };
  const note = (problem: string): void => {
    const { name } = plugin;
    if (problem !== '' && trouble === '') log.warn('helpshift-reading-failed', { plugin: name, problem });
    if (problem === '' && trouble !== '') log.info('helpshift-reading-recovered', { plugin: name });
    trouble = problem;
  };
  const pollOnce = (): Promise<boolean> => {
    underWay ??= poll().finally(() => (underWay = undefined));
    return underWay;
  };
  const keepPolling = async (): Promise<void> => {
    await pollOnce();
    if (stopped.signal.aborted) return;
    const waitMs = plugin.intervalMs * (1 + JITTER * (2 * Math.random() - 1));
    timer = setTimeout(() => void keepPolling(), waitMs);
    timer.unref();
  };
  if (plugin.intervalMs > 0) void keepPolling();

  return {
    answer() {
      if (plugin.intervalMs > 0) {
        const now = (): AgentAnswer => pluginAnswer(state, plugin, clock.nowMs());
        const first = state.words === undefined ? underWay : undefined;
        return first ? within(first, INLINE_WAIT_MS).then(now) : now();
      }
      return within(pollOnce(), INLINE_WAIT_MS).then((judged) =>
        pluginAnswer(state, plugin, clock.nowMs(), !judged),
      );
    },
    stop() {
      stopped.abort();
      clearTimeout(timer);
    },
  };
}

/** What `work` comes to, or false after `waitMs`. */
function within(work: Promise<boolean>, waitMs: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(false), waitMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
