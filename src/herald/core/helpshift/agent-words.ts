// Words of an agent answer as a helpshift/herald file writes them (`down`, `10%`, `up ready 50%`, `noop`),
// and the whole line made of them. That program sends single words, but HAProxy's `drain` and `down` are not
// lifted by a percentage that comes later: here every line says an admin word, a health word and a weight.

import type { AgentAnswer } from '../../../protocol/agent-check.ts';
import { refuse } from '../../../protocol/decode.ts';

export type AgentWords = Partial<AgentAnswer>;

const EXPECTED =
  "noop, or HAProxy's words: up, down, stopped, fail, ready, drain, maint, a percentage, maxconn:N, # reason";

/** Only to be called inside `decoding`. An empty text and `noop` say nothing. */
export function readAgentWords(text: string, field: string): AgentWords {
  if (text.trim().toLowerCase() === 'noop') return {};
  const [before = '', ...reason] = text.split('#');
  const words: AgentWords = {};
  for (const word of before.toLowerCase().split(/[\s,]+/)) {
    if (word !== '') Object.assign(words, meaning(word) ?? refuse(field, text, EXPECTED));
  }
  if (reason.length > 0) words.reason = reason.join('#').trim();
  return words;
}

function meaning(word: string): AgentWords | undefined {
  const percent = /^(\d{1,9})%$/.exec(word);
  // A weight of 0 is HAProxy's other way to say drain; the weight itself stays from 1 to 100.
  if (percent) return percent[1] === '0' ? { admin: 'drain' } : { weightPercent: Number(percent[1]) };
  const maxConnections = /^maxconn:(\d{1,9})$/.exec(word);
  if (maxConnections) return { maxConnections: Number(maxConnections[1]) };
  switch (word) {
    case 'ready':
    case 'drain':
    case 'maint':
      return { admin: word };
    case 'up':
      return { health: 'up' };
    case 'down':
      return { health: 'down' };
    case 'stopped':
    case 'fail':
    case 'failed':
      return { health: 'down', reason: word };
    default:
      return undefined;
  }
}

export function wholeAnswer(words: AgentWords): AgentAnswer {
  return { admin: 'ready', health: 'up', weightPercent: 100, ...words };
}
