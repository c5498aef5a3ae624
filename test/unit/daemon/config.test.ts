import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  choice,
  envName,
  flag,
  flagName,
  integer,
  list,
  loadConfig,
  number,
  printConfig,
  secret,
  text,
  urls,
} from '../../../src/daemon/config.ts';
import type { ConfigSources } from '../../../src/daemon/config.ts';
import { StartError } from '../../../src/daemon/lifecycle.ts';

const options = {
  publicListen: text('127.0.0.1:7400', 'where clients ask'),
  policy: choice(['expected', 'p2c', 'round-robin'], 'expected', 'how a gateway is picked'),
  staleMs: integer(2_000, 100, 60_000, 'age at which a report is stale'),
  admitScore: number(0.9, 0, 10, 'no new connections above'),
  cors: flag(true, 'allow pages of any origin'),
  pools: list(['default'], 'pools served'),
  secret: secret('cluster secret'),
};

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'herald-config-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function yaml(content: string): string {
  const path = join(folder, 'herald.yaml');
  writeFileSync(path, content);
  return path;
}

function problem(sources: ConfigSources): string {
  try {
    loadConfig(options, sources);
  } catch (error) {
    expect(error).toBeInstanceOf(StartError);
    return (error as StartError).message;
  }
  throw new Error('the configuration was accepted');
}

describe('the strength of a source', () => {
  const file = (): string => yaml('staleMs: 3000\n');
  const env = { HERALD_STALE_MS: '4000' };
  const flags = { staleMs: '5000' };

  it('the default holds when nothing is given', () => {
    expect(loadConfig(options, {}).staleMs).toBe(2_000);
  });

  it('a file beats the default', () => {
    expect(loadConfig(options, { file: file() }).staleMs).toBe(3_000);
  });

  it('the environment beats the file', () => {
    expect(loadConfig(options, { file: file(), env }).staleMs).toBe(4_000);
  });

  it('a flag beats them all', () => {
    expect(loadConfig(options, { file: file(), env, flags }).staleMs).toBe(5_000);
  });

  it('an empty variable and an absent flag count as not given', () => {
    const sources = { file: file(), env: { HERALD_STALE_MS: '' }, flags: { staleMs: undefined } };
    expect(loadConfig(options, sources).staleMs).toBe(3_000);
  });
});

describe('every kind of value', () => {
  it('is read from YAML', () => {
    const file = yaml(
      'policy: p2c\nadmitScore: 0.5\ncors: false\npools: [chat, feed]\npublicListen: "[::1]:1"\n',
    );
    expect(loadConfig(options, { file })).toEqual({
      publicListen: '[::1]:1',
      policy: 'p2c',
      staleMs: 2_000,
      admitScore: 0.5,
      cors: false,
      pools: ['chat', 'feed'],
      secret: '',
    });
  });

  it('is read from texts', () => {
    const env = { HERALD_ADMIT_SCORE: '0.25', HERALD_CORS: '0', HERALD_POOLS: 'chat, feed,' };
    expect(loadConfig(options, { env })).toMatchObject({
      admitScore: 0.25,
      cors: false,
      pools: ['chat', 'feed'],
    });
  });

  it('a list of URLs of Heralds takes what paths follow', () => {
    const given = 'http://a:1/,https://b/herald/v1/lookup,https://c/v1/lookups';
    expect(loadConfig({ heralds: urls([], 'Heralds') }, { env: { HERALD_HERALDS: given } })).toEqual({
      heralds: ['http://a:1', 'https://b/herald', 'https://c/v1/lookups'],
    });
  });

  it('an empty file changes nothing', () => {
    expect(loadConfig(options, { file: yaml('# nothing yet\n') }).policy).toBe('expected');
  });
});

describe('a mistake', () => {
  it.each([
    [{ HERALD_STALE_MS: '2.5' }, 'HERALD_STALE_MS: "2.5" is not an integer from 100 to 60000'],
    [{ HERALD_STALE_MS: '99' }, 'HERALD_STALE_MS: "99" is not an integer from 100 to 60000'],
    [{ HERALD_STALE_MS: ' ' }, 'HERALD_STALE_MS: " " is not an integer from 100 to 60000'],
    [{ HERALD_ADMIT_SCORE: 'NaN' }, 'HERALD_ADMIT_SCORE: "NaN" is not a number from 0 to 10'],
    [{ HERALD_ADMIT_SCORE: '1e999' }, 'HERALD_ADMIT_SCORE: "1e999" is not a number from 0 to 10'],
    [{ HERALD_CORS: 'yes' }, 'HERALD_CORS: "yes" is not true or false'],
    [
      { HERALD_POLICY: 'expcted' },
      'HERALD_POLICY: "expcted" is not one of expected, p2c, round-robin; did you mean expected?',
    ],
  ])('%o is refused with what was given and what was expected', (env, message) => {
    expect(problem({ env })).toBe(message);
  });

  it('in a flag is named by the flag', () => {
    expect(problem({ flags: { admitScore: '11' } })).toBe('--admit-score: "11" is not a number from 0 to 10');
  });

  it('in a key of the file names the nearest known key', () => {
    const file = yaml('stalems: 3000\n');
    expect(problem({ file })).toBe(`${file}: unknown key stalems; did you mean staleMs?`);
  });

  it('in a key that resembles nothing is named alone', () => {
    const file = yaml('colour: red\n');
    expect(problem({ file })).toBe(`${file}: unknown key colour`);
  });

  it('is reported with all the others, a line each', () => {
    const file = yaml('polcy: p2c\ncors: 3\n');
    expect(problem({ file, env: { HERALD_STALE_MS: 'x' } }).split('\n')).toHaveLength(3);
  });

  it('with a line feed in what was given is one line all the same', () => {
    const keys = yaml('"po\\nlcy": p2c\n');
    expect(problem({ file: keys })).toBe(`${keys}: unknown key po\\nlcy; did you mean policy?`);
    expect(new StartError('--id a\r\nb: expected an id').message).toBe('--id a\\r\\nb: expected an id');
  });

  it.each(['- a\n- b\n', 'just a text', 'a: [1\n'])('in the shape of the file is refused: %j', (content) => {
    expect(problem({ file: yaml(content) })).toContain('herald.yaml: ');
  });

  it('in the YAML is told with its place, and ends there', () => {
    expect(problem({ file: yaml('id: a\nid: b\n') })).toMatch(/unique at line 2, column 1$/);
  });

  it('in the path of the file is refused', () => {
    expect(problem({ file: join(folder, 'absent.yaml') })).toContain('ENOENT');
  });

  it('in the name of a key is no surprise where every object has it', () => {
    const file = yaml('constructor: 1\n');
    expect(problem({ file })).toBe(`${file}: unknown key constructor`);
  });

  it('in a value that JSON cannot write is named all the same', () => {
    const file = yaml('pools: &all [*all]\nadmitScore: .nan\n');
    expect(problem({ file }).split('\n')).toEqual([
      `${file}: pools: a value that holds itself is not a list of texts, or one text with commas`,
      `${file}: admitScore: NaN is not a number from 0 to 10`,
    ]);
  });

  it('in a secret of digits is told: YAML reads a number, and not each of them', () => {
    const file = yaml('secret: 12345678901234567890\n');
    expect(problem({ file })).toBe(`${file}: secret: the value given is not a text; put it in quotes`);
  });

  it('never shows a secret', () => {
    const file = yaml('secret: [hunter2hunter2]\n');
    const message = problem({ file });
    expect(message).toContain('secret: the value given is not a text');
    expect(message).not.toContain('hunter2');
  });
});

describe('a printed configuration', () => {
  it('hides secrets and is itself a file that loads', () => {
    const config = loadConfig(options, {
      env: { HERALD_SECRET: 'hunter2hunter2hunter2', HERALD_POLICY: 'p2c' },
    });
    const printed = printConfig(options, config);
    expect(printed).not.toContain('hunter2');
    expect(printed).toContain('secret: "[hidden]"');
    expect(printed).toContain('# age at which a report is stale\nstaleMs: 2000\n');
    expect(loadConfig(options, { file: yaml(printed) })).toEqual({ ...config, secret: '[hidden]' });
  });

  it('says that no secret is set', () => {
    expect(printConfig(options, loadConfig(options, {}))).toContain('secret: ""');
  });
});

describe('the names of an option', () => {
  it('follow from its key', () => {
    expect(envName('zookeeperSessionTimeoutMs')).toBe('HERALD_ZOOKEEPER_SESSION_TIMEOUT_MS');
    expect(flagName('zookeeperSessionTimeoutMs')).toBe('--zookeeper-session-timeout-ms');
    expect(envName('secret')).toBe('HERALD_SECRET');
  });
});
