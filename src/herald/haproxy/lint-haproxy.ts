// `herald haproxy lint`: names the lines of a HAProxy configuration that look right and are not, once
// agent-check feeds the weights. Each trap was met with HAProxy 2.6 (docs/haproxy.md has the measurements).
// It reads words and lines; what HAProxy itself refuses is left to `haproxy -c`.

export interface LintFinding {
  /** 1-based. */
  line: number;
  severity: 'error' | 'warning';
  /** A stable word for programs. */
  code:
    | 'weight-vanishes'
    | 'agent-send-newline'
    | 'agent-send-missing'
    | 'agent-without-port'
    | 'leastconn-herds'
    | 'no-tunnel-timeout'
    | 'slow-agent'
    | 'weight-word'
    | 'srv-weight'
    | 'no-health-check';
  message: string;
}

interface Section {
  kind: string;
  name: string;
  /** The named `defaults` it asks for (`from NAME`). */
  from: string | undefined;
  line: number;
  lines: NumberedLine[];
}

interface NumberedLine {
  number: number;
  words: string[];
}

const SECTIONS =
  /^(global|defaults|frontend|backend|listen|peers|resolvers|userlist|program|cache|mailers|ring)\b/;
/** Slower than this and a squeezed gateway keeps its share for longer than two seconds. */
const SLOW_AGENT_MS = 2_000;

/** Findings in the order of their lines; empty when nothing is wrong. */
export function lintHaproxy(text: string): LintFinding[] {
  const sections = sectionsOf(text);
  return sections
    .filter(({ kind }) => kind === 'backend' || kind === 'listen')
    .flatMap((section) => lintBackend(section, defaultsOf(section, sections)))
    .sort((a, b) => a.line - b.line);
}

/** The lines a section starts from: those of the `defaults` it names, else of the last one above it. */
function defaultsOf(section: Section, sections: readonly Section[]): readonly NumberedLine[] {
  const above = sections.filter(({ kind, line }) => kind === 'defaults' && line < section.line);
  const { from } = section;
  const found = from === undefined ? above.at(-1) : above.findLast(({ name }) => name === from);
  if (!found) return [];
  // One `defaults` stands on another only where it names it.
  return found.from === undefined ? found.lines : [...defaultsOf(found, sections), ...found.lines];
}

function lintBackend(section: Section, defaults: readonly NumberedLine[]): LintFinding[] {
  const inForce = [...defaults, ...section.lines];
  const defaultWords = inForce
    .filter(({ words }) => words[0] === 'default-server')
    .flatMap(({ words }) => words);
  const fed = section.lines
    .filter(({ words }) => /^server(-template)?$/.test(words[0] ?? ''))
    .map((line) => ({ line, words: [...defaultWords, ...line.words] }))
    .filter(({ words }) => words.includes('agent-check'));
  if (fed.length === 0) return [];
  return [
    ...fed.flatMap((server) => met(SERVER_TRAPS, server, server.line.number)),
    ...section.lines.flatMap((line) => met(LINE_TRAPS, line, line.number)),
    ...met(SECTION_TRAPS, inForce, section.line),
  ];
}

interface Trap<Place> extends Pick<LintFinding, 'severity' | 'code'> {
  /** What is wrong there; undefined = nothing. */
  problem: (place: Place) => string | undefined;
}

function met<Place>(traps: readonly Trap<Place>[], place: Place, line: number): LintFinding[] {
  return traps.flatMap(({ severity, code, problem }) => {
    const message = problem(place);
    return message === undefined ? [] : [{ line, severity, code, message }];
  });
}

/** A server whose weight an agent says, with the words of `default-server` before its own, which win. */
interface FedServer {
  line: NumberedLine;
  words: readonly string[];
}

const SERVER_TRAPS: readonly Trap<FedServer>[] = [
  {
    severity: 'error',
    code: 'weight-vanishes',
    problem({ words }) {
      const weight = Number(valueOf(words, 'weight') ?? 1);
      const shown = weight === 1 ? 'the default weight 1' : `weight ${weight}`;
      return weight < 100
        ? `a percentage of ${shown} rounds to few steps or to 0: write weight 100`
        : undefined;
    },
  },
  {
    severity: 'error',
    code: 'agent-send-missing',
    problem: ({ words }) =>
      valueOf(words, 'agent-send') === undefined && valueOf(words, 'agent-addr') !== undefined
        ? 'one agent for many servers must be told which: agent-send "backend/server\\n"'
        : undefined,
  },
  {
    severity: 'error',
    code: 'agent-send-newline',
    problem({ words }) {
      const sent = valueOf(words, 'agent-send');
      return sent === undefined || sent.endsWith('\\n')
        ? undefined
        : `agent-send ${sent} lacks \\n at its end: HAProxy sends it as written, and the agent waits for a line`;
    },
  },
  {
    severity: 'error',
    code: 'agent-without-port',
    problem: ({ words }) =>
      valueOf(words, 'agent-port') === undefined ? 'agent-check does nothing without agent-port' : undefined,
  },
  {
    severity: 'warning',
    code: 'slow-agent',
    problem({ words }) {
      const interval = valueOf(words, 'agent-inter') ?? valueOf(words, 'inter');
      const intervalMs = interval === undefined ? 0 : durationMs(interval);
      return intervalMs > SLOW_AGENT_MS
        ? `asked every ${intervalMs} ms, a squeezed gateway keeps its share that long: agent-inter 1s`
        : undefined;
    },
  },
  {
    severity: 'warning',
    code: 'no-health-check',
    problem: ({ words }) =>
      words.includes('check') ? undefined : 'without check a dead gateway stays in while Herald is away',
  },
  {
    severity: 'warning',
    code: 'srv-weight',
    problem: ({ line: { words } }) =>
      words[0] === 'server-template' && words[3]?.startsWith('_') === true
        ? 'weights of SRV records are divided by 256: write them times 256'
        : undefined,
  },
];

const LINE_TRAPS: readonly Trap<NumberedLine>[] = [
  {
    severity: 'warning',
    code: 'leastconn-herds',
    problem: ({ words }) =>
      words[0] === 'balance' && words[1] === 'leastconn'
        ? 'leastconn and a fed-back weight both chase the idle server: use roundrobin or random(2)'
        : undefined,
  },
  {
    severity: 'warning',
    code: 'weight-word',
    problem: ({ words }) =>
      /\bweight:\d/.test(words.join(' '))
        ? 'weight:N in agent answers is known from HAProxy 3.1 on; earlier ones ignore the whole line'
        : undefined,
  },
];

/** Of all lines that hold for a section. */
const SECTION_TRAPS: readonly Trap<readonly NumberedLine[]>[] = [
  {
    severity: 'warning',
    code: 'no-tunnel-timeout',
    problem: (lines) =>
      lines.some(({ words }) => words[0] === 'timeout' && words[1] === 'tunnel')
        ? undefined
        : 'without timeout tunnel a WebSocket ends with timeout server',
  },
];

function sectionsOf(text: string): Section[] {
  const sections: Section[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const words = wordsOf(line);
    if (words.length === 0) continue;
    const number = index + 1;
    if (SECTIONS.test(words[0]!))
      sections.push({
        kind: words[0]!,
        name: words[1] ?? '',
        from: valueOf(words, 'from'),
        line: number,
        lines: [],
      });
    else sections.at(-1)?.lines.push({ number, words });
  }
  return sections;
}

/** Words as HAProxy cuts them: quotes group, `#` starts a comment, a backslash keeps the next character. */
function wordsOf(line: string): string[] {
  const words: string[] = [];
  let word = '';
  let open = false;
  let quote = '';
  const end = (): void => {
    if (open) words.push(word);
    word = '';
    open = false;
  };
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (quote !== '') {
      if (char === quote) quote = '';
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      open = true;
    } else if (char === '#') {
      break;
    } else if (/\s/.test(char)) {
      end();
    } else {
      if (char === '\\' && i + 1 < line.length) word += char + line[++i]!;
      else word += char;
      open = true;
    }
  }
  end();
  return words;
}

/** The last value of `name`, since a server's own words override the defaults. */
function valueOf(words: readonly string[], name: string): string | undefined {
  const at = words.lastIndexOf(name);
  return at < 0 ? undefined : words[at + 1];
}

const UNITS_MS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** HAProxy times are milliseconds unless they carry a unit. */
function durationMs(text: string): number {
  const parts = /^(\d+)(us|ms|s|m|h|d)?$/.exec(text);
  return parts ? Number(parts[1]) * (UNITS_MS[parts[2] ?? 'ms'] ?? 1) : 0;
}
