// The built program as somebody uses it who makes mistakes: one line that helps, the right exit code, no stack.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../launch/free-port.ts';
import { httpServer } from '../../launch/http-server.ts';
import { HERALD_BIN, HERALD_ON_ANY_PORTS, startHeraldProcess } from '../../launch/herald-process.ts';
import { oneHerald } from '../herald/one-herald.ts';
import { herald } from './run-herald.ts';

let folder: string;
const closing: (() => Promise<void>)[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'herald-cli-'));
});
afterAll(async () => {
  for (const close of closing) await close();
  rmSync(folder, { recursive: true });
});

/** The URL of something that is no Herald. */
async function other(answer: RequestListener): Promise<string> {
  const server = await httpServer(answer);
  closing.push(() => server.close());
  return server.url;
}

// Nearly all the time is that of starting Node: several at once.
describe.concurrent('a mistake on the command line', () => {
  const notAUrl = /^herald: --\w+ nonsense: expected a URL such as http:\/\/127\.0\.0\.1:7400\n$/;

  it.each([
    [['lookup', '--url', 'nonsense'], notAUrl],
    [['table', '--admin', 'nonsense'], notAUrl],
    [['drain', 'gw-1', '--admin', 'nonsense'], notAUrl],
    [['publish', 'news', 'x', '--heralds', 'nonsense'], notAUrl],
    [['subscribe', 'news', '--url', 'nonsense'], notAUrl],
    // What `publish` calls them.
    [['subscribe', 'news', '--heralds', 'nonsense'], notAUrl],
    [['lookup', '--alternates', 'abc'], /^herald: --alternates abc: expected an integer from 0 to 8\n$/],
    [['up', '--gateways', '11'], /^herald: --gateways 11: expected an integer from 1 to 10\n$/],
    [['up', '--policy', 'lest'], /argument 'lest' is invalid. Allowed choices are expected, p2c, least/],
    [['serve', '--policy', 'lest'], /^herald: --policy: "lest" is not one of .*; did you mean least\?\n$/],
    [['serve', '--pubic-listen', 'x'], /did you mean --public-listen\?\)\n\(see herald serve --help\)\n$/i],
    [
      ['publish', 'news', '-5 degrees'],
      /^error: unknown option '-5 degrees'\nData .* after --: herald publish news -- "-5 degrees"\n\(see/,
    ],
    [['lokup'], /did you mean lookup\?/i],
    [
      ['gateway', '--listen', '127.0.0.1:0', '--heralds', 'nonsense'],
      /^herald: --heralds: "nonsense" is not a list of http:\/\/ or https:\/\/ URLs, no credentials, no query\n$/,
    ],
    [['drain', 'gw-1', '--for', '0s'], /^herald: --for 0s: expected at least 1s\n$/],
    [['drain', 'gw-1', '--for', '91d'], /^herald: --for 91d: expected at most 90d\n$/],
    [['record', 'file', '--for', '30d'], /^herald: --for 30d: expected at most 24d\n$/],
    [
      ['lookup', '--url', 'a\nb'],
      /^herald: --url a\\nb: expected a URL such as http:\/\/127\.0\.0\.1:7400\n$/,
    ],
    [['lookup', '--alternates=1\n\r2'], /^herald: --alternates 1\\n\\r2: expected an integer from 0 to 8\n$/],
    [['haproxy', 'lint', 'a\nb'], /^herald: a\\nb: ENOENT: no such file or directory, open 'a\\nb'\n$/],
    [['haproxy', 'lint', '/dev/zero'], /^herald: \/dev\/zero: holds more than 4 MB\n$/],
    [['serve', '--config', '/dev/zero'], /^herald: \/dev\/zero: holds more than 1 MB\n$/],
    [['a\nb'], /^error: unknown command 'a\\nb'\n\(see herald --help\)\n$/],
    [['mover', 'a\nb'], /^error: .* 'a\\nb' is invalid .*\n\(see herald mover --help\)\n$/],
    [['top'], /^herald: herald top needs a terminal; use herald table --watch\n$/],
  ])('%j is one helpful line', async (args, expected) => {
    const { code, stdout, stderr } = await herald(args);
    expect(stderr).toMatch(expected);
    expect(stderr).not.toContain('    at ');
    expect([code, stdout]).toEqual([1, '']);
  });

  it('in the environment of daemons that are started together is a line for each', async () => {
    const mistakes = { HERALD_STALE_AFTER_MS: 'x', HERALD_ADMIT_SCORE: 'y' };
    const { code, stderr } = await herald(['up', '--no-bots'], mistakes);
    expect(stderr).toMatch(
      /^herald: herald-1: HERALD_STALE_AFTER_MS: "x" is not .*\nherald: HERALD_ADMIT_SCORE: "y" is not .*\n$/,
    );
    expect(code).toBe(1);
  });

  // TEST-NET-1 (RFC 5737) is no address of this machine.
  it.each([
    ['a b:1', 'ENOTFOUND|EAI_AGAIN'],
    ['192.0.2.1:1', 'EADDRNOTAVAIL'],
  ])('an address that it cannot have, %s, has an exit code of its own', async (listen, why) => {
    const { code, stderr } = await herald(['gateway', '--listen', listen]);
    expect(stderr).toMatch(
      new RegExp(`^herald: cannot listen on ${listen} \\((${why})\\); choose another with --listen\n$`),
    );
    const several = await herald(['gateway', '--listen', listen, '--workers', '2']);
    expect([code, several.code]).toEqual([75, 75]);
  });

  it.each([
    [['check', 'lookup', '--warn', 'abc'], 'HERALD UNKNOWN - --warn abc: expected a number'],
    [['check', 'lookup', '--url', 'nonsense'], 'HERALD UNKNOWN - --url nonsense: expected a URL'],
    [['check', 'lookup', '--timeout', '0'], 'HERALD UNKNOWN - --timeout 0: expected an integer'],
    [['check', 'lookup', '--no-such-flag'], ''],
    [['check', 'constructor'], 'HERALD UNKNOWN - no check is named constructor'],
    [['check'], ''],
  ])('%j is UNKNOWN, never a warning', async (args, line) => {
    const { code, stdout } = await herald(args);
    expect(stdout).toContain(line);
    expect(code).toBe(3);
  });
});

it('a folder in the place of a file is named', async () => {
  const { code, stderr } = await herald(['haproxy', 'lint', folder]);
  expect([code, stderr]).toEqual([1, `herald: ${folder}: EISDIR: illegal operation on a directory, read\n`]);
});

describe.concurrent('a Herald that is not there', () => {
  it('is named by whoever asks it', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    for (const args of [
      ['lookup', '--url', url],
      ['table', '--admin', url],
    ]) {
      expect(await herald(args)).toMatchObject({
        code: 1,
        stderr: `herald: no Herald answers at ${url} (ECONNREFUSED); start one with "herald up"\n`,
      });
    }
  });

  it('is passed over when another is named, whose refusal is an answer', async () => {
    const dead = `http://127.0.0.1:${await freePort()}`;
    const url = await other((_request, response) => {
      response.writeHead(503).end('{"title":"Not available","detail":"nobody is in"}');
    });
    const asked = await herald(['lookup'], { HERALD_PUBLIC: `${dead},${url},${dead}` });
    const silent = await herald(['lookup'], { HERALD_PUBLIC: `${dead},${dead}` });
    expect(asked.stderr).toBe('herald: 503 Not available: nobody is in\n');
    expect(silent.stderr).toBe(
      `herald: no Herald answers at ${dead} (ECONNREFUSED), ${dead} (ECONNREFUSED)\n`,
    );
  });

  it('may be below a path of a proxy', async () => {
    const asked: string[] = [];
    const proxy = await other((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(503).end('{"title":"Not available","detail":"nobody is in"}');
    });
    const url = `${proxy}/herald/`;
    await herald(['lookup', '--url', url]);
    await herald(['table', '--admin', url]);
    await herald(['check', 'lookup', '--url', url]);
    expect(asked.map((path) => path.split('?')[0])).toEqual([
      '/herald/v1/lookup',
      '/herald/v1/table',
      '/herald/v1/lookup',
    ]);
  });

  it('that listens and is silent is not to be started once more, and nobody waits long for it', async () => {
    const url = await other(() => {});
    const answers = await Promise.all([
      herald(['table', '--admin', url]),
      herald(['record', join(folder, 'recording'), '--admin', url]),
    ]);
    const stderr = `herald: no Herald answers at ${url} (no answer in time)\n`;
    expect(answers).toMatchObject(answers.map(() => ({ code: 1, stderr })));
  }, 20_000);

  it('says in seconds when to try again, whichever way it was told', async () => {
    const url = await other((request, response) => {
      const isTable = (request.url ?? '').startsWith('/v1/table');
      const date = 'Sun, 06 Nov 1994 08:49:00 GMT';
      const retryAfter = isTable ? 'Sun, 06 Nov 1994 08:49:37 GMT' : '7';
      response
        .writeHead(503, { date, 'retry-after': retryAfter })
        .end('{"title":"Away","detail":"nobody is in"}');
    });
    const answers = await Promise.all([
      herald(['table', '--admin', url]),
      herald(['record', join(folder, 'later'), '--admin', url]),
    ]);
    expect(answers.map(({ stderr }) => stderr)).toEqual([
      'herald: 503 Away: nobody is in; try again in 37 s\n',
      'herald: 503 Away: nobody is in; try again in 7 s\n',
    ]);
  });

  it('that never comes to an end is given up', async () => {
    const dribbles = await other((_request, response) => {
      response.writeHead(200);
      const drops = setInterval(() => response.write(' '), 500);
      response.once('close', () => clearInterval(drops));
    });
    const floods = await other((_request, response) => {
      const flood = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(1_000_000, ' ')));
      };
      response.on('drain', flood);
      flood();
    });
    const refuses = await other((_request, response) => void response.writeHead(503).write('{"title":'));
    const refusesAtLength = await other((_request, response) => {
      response.writeHead(503).end(Buffer.alloc(4_000_000, ' '));
    });
    const file = join(folder, 'endless');
    const answers = await Promise.all([
      herald(['table', '--admin', dribbles]),
      herald(['table', '--admin', floods]),
      herald(['record', file, '--admin', refuses]),
      herald(['record', file, '--admin', refusesAtLength]),
    ]);
    expect(answers.map(({ stderr }) => stderr)).toEqual([
      `herald: no Herald answers at ${dribbles} (no whole answer in time)\n`,
      `herald: no Herald answers at ${floods} (more than 64 MB)\n`,
      `herald: no Herald answers at ${refuses} (no whole answer in time)\n`,
      `herald: what answers at ${refusesAtLength} is not a Herald: /v1/record gave 503 and no JSON\n`,
    ]);
  }, 20_000);

  it('that has TLS where it was not asked for, or has none, is told from one that is away', async () => {
    const plain = (await other(() => {})).replace('http:', 'https:');
    const secure = createTlsServer().listen(0, '127.0.0.1');
    await once(secure, 'listening');
    closing.push(() => Promise.resolve(void secure.close()));
    const { port } = secure.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    const [noTls, tls, check] = await Promise.all([
      herald(['table', '--admin', plain]),
      herald(['table', '--admin', url]),
      herald(['check', 'lookup', '--url', url]),
    ]);
    expect(noTls.stderr).toBe(`herald: no Herald answers at ${plain} (speaks no TLS; is it http?)\n`);
    expect(tls.stderr).toBe(`herald: no Herald answers at ${url} (closed without an answer; is it https?)\n`);
    expect(check.stdout).toBe(`LOOKUP CRITICAL - ${url}: closed without an answer; is it https?\n`);
  });

  it('elsewhere cannot be started from here', async () => {
    // TEST-NET-1 (RFC 5737): no route, or silence.
    const { code, stderr } = await herald(['table', '--admin', 'http://192.0.2.1:7403']);
    expect(stderr).toMatch(/^herald: no Herald answers at http:\/\/192\.0\.2\.1:7403 \([\w ]+\)\n$/);
    expect(code).toBe(1);
  }, 20_000);

  it('makes publish fail, and not end as if it had published', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, stdout, stderr } = await herald(['publish', 'news', 'x', '--heralds', url]);
    expect(stderr).toBe(`herald: not published: no Herald at ${url} names a broker\n`);
    expect([code, stdout]).toEqual([1, '']);
    const long = await herald(['publish', 'news', 'x'.repeat(70_000), '--heralds', url]);
    expect(long.stderr).toBe('herald: not published: news: the data is larger than 65,536 bytes of JSON\n');
  });

  it('is told by subscribe with the reason, while it goes on asking', async () => {
    const place = `127.0.0.1:${await freePort()}`;
    const child = spawn(process.execPath, [HERALD_BIN, 'subscribe', 'news', '--url', `http://${place}`]);
    const [line] = (await once(createInterface({ input: child.stderr }), 'line')) as [string];
    child.kill();
    const why = `no Herald answers at http://${place} (fetch failed, connect ECONNREFUSED ${place})`;
    expect(JSON.parse(line)).toMatchObject({ state: { name: 'waiting', why } });
  });

  it.each([
    ['lookup', '--url', '/v1/lookup', 'gateway'],
    ['table', '--admin', '/v1/table', 'gateways'],
    ['explain l-1', '--admin', '/v1/explain/l-1', 'candidates'],
    ['mover', '--admin', '/v1/mover', 'modes'],
    ['drain gw-1', '--admin', '/v1/gateways/gw-1/drain', 'shared'],
  ])('may be something else, which answers %s with JSON of its own', async (command, flag, path, field) => {
    const url = await other((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}');
    });
    const { code, stdout, stderr } = await herald([...command.split(' '), flag, url]);
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: `herald: what answers at ${url} is not a Herald: ${path} gave no "${field}"\n`,
    });
  });

  it.each([
    [200, {}, 'what answers at URL is not a Herald: /v1/lookup gave no JSON'],
    [502, {}, 'what answers at URL is not a Herald: /v1/lookup gave 502 and no JSON'],
    [
      301,
      { location: 'https://herald.example/v1/lookup' },
      'URL sends to https://herald.example/v1/lookup; give the URL that it leads to',
    ],
  ])('may be something else, which answers %i', async (status, headers, words) => {
    const url = await other((_request, response) => {
      response.writeHead(status, headers).end('<html>it works</html>');
    });
    const { code, stderr } = await herald(['lookup', '--url', url]);
    expect(stderr).toBe(`herald: ${words.replace('URL', url)}\n`);
    expect(code).toBe(1);
  });
});

describe('a Herald that asks for a token', () => {
  it.each([
    [[], 'asks for a token; give it'],
    [['--token', 'wrong'], 'does not take the token given'],
  ])('tells one that is missing from a wrong one: %j', async (flags, words) => {
    const admin = `127.0.0.1:${await freePort()}`;
    const daemon = await startHeraldProcess(
      'serve',
      { ...HERALD_ON_ANY_PORTS, 'admin-listen': admin },
      { HERALD_ADMIN_TOKEN: 'a token of the right length' },
    );
    const asked = ['--admin', `http://${admin}`, ...flags];
    const env = { HERALD_ADMIN_TOKEN: '' };
    const [shown, recorded, checked] = await Promise.all([
      herald(['table', ...asked], env),
      herald(['record', join(folder, 'traffic'), ...asked], env),
      herald(['check', 'table-age', ...asked], env),
    ]);
    await daemon.stop();
    for (const { code, stderr } of [shown, recorded]) {
      expect(stderr).toBe(`herald: http://${admin} ${words} with --token or HERALD_ADMIN_TOKEN\n`);
      expect(code).toBe(1);
    }
    expect(checked.stdout).toContain(`UNKNOWN - http://${admin} ${words.split(';')[0]}`);
    expect(checked.code).toBe(3);
  });
});

it('asking another port of a Herald says which is which', async () => {
  const one = await oneHerald();
  const { addresses } = one;
  const asked = await Promise.all([
    herald(['table', '--admin', addresses.control]),
    herald(['lookup', '--url', addresses.admin]),
    herald(['publish', 'news', '1', '--heralds', addresses.public]),
  ]);
  const child = spawn(process.execPath, [HERALD_BIN, 'subscribe', 'news', '--heralds', addresses.control]);
  const [line] = (await once(createInterface({ input: child.stderr }), 'line')) as [string];
  child.kill();
  await one.close();
  const why = `no Herald answers at ${addresses.control} (not the port for lookups)`;
  expect(JSON.parse(line)).toMatchObject({ state: { name: 'waiting', why } });
  expect(asked.map(({ stderr }) => stderr)).toEqual([
    expect.stringMatching(
      /^herald: http:\S+ does not know this: is it the right port\? By default 7400 answers lookups, .*\n$/,
    ),
    expect.stringContaining('is it the right port?'),
    expect.stringContaining('names a broker'),
  ]);
});

it('a pool that nobody reports from has no backend for HAProxy', async () => {
  const one = await oneHerald();
  const asked = await herald(['haproxy', 'config', '--pool', 'tpyo', '--admin', one.addresses.admin]);
  await one.close();
  expect(asked).toMatchObject({ code: 1, stdout: '' });
  expect(asked.stderr).toContain('404 Not found: no gateway of pool tpyo is known here');
});

it('a reader that stops reading ends the program quietly', async () => {
  const child = spawn('sh', ['-c', `"$0" "$1" serve --help | head -1`, process.execPath, HERALD_BIN]);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  expect(stderr).toBe('');
});
