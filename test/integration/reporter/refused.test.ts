import { expect, it } from 'vitest';
import type { HeraldLink, LinkParts } from '../../../src/reporter/herald-link.ts';
import { openHeraldLink } from '../../../src/reporter/herald-link.ts';
import { silentLog } from '../../../src/daemon/log.ts';
import { herald } from './given.ts';

const DATE = 'Sun, 06 Nov 1994 08:49:00 GMT';

/** Between two tries it waits as long as it may. */
function linkTo(base: string, parts: Partial<LinkParts>): HeraldLink {
  return openHeraldLink({
    base,
    gateway: 'g1',
    write: () => '{}',
    secrets: [],
    onReply: () => {},
    onFailure: () => {},
    log: silentLog,
    clock: { nowMs: () => 0, epochMs: () => 0 },
    random: () => 1 - 1e-9,
    ...parts,
  });
}

it.each([
  ['3', 3_000],
  ['Sun, 06 Nov 1994 08:49:04 GMT', 4_000],
  ['3600', 10_000],
  ['0x10', 2_000],
  ['1e9', 2_000],
  ['', 2_000],
])(
  'a Herald that answers Retry-After: %s is left alone for that long, within bounds',
  async (retryAfter, waitMs) => {
    const h = await herald();
    h.answer = () => ({ status: 503, headers: { date: DATE, 'retry-after': retryAfter }, body: '' });
    let nowMs = 0;
    const link = linkTo(h.url, { clock: { nowMs: () => nowMs, epochMs: () => 0 } });
    // Until its own wait, where it is told of none, is the longest.
    for (let failures = 0; failures < 6; failures++) {
      link.push('full', true);
      await link.idle();
    }
    nowMs = waitMs - 1;
    link.push('full');
    await link.idle();
    expect(h.seen).toHaveLength(6);
    nowMs = waitMs;
    link.push('full');
    await link.idle();
    expect(h.seen).toHaveLength(7);
    link.drop();
  },
);

it('a gateway that reports to the wrong port of a Herald is told which one is meant', async () => {
  const h = await herald();
  h.answer = () => ({ status: 404, headers: {}, body: '{"code":"no-such-route"}' });
  const warnings: unknown[] = [];
  const link = linkTo(h.url, {
    log: { ...silentLog, warn: (event, fields) => warnings.push({ event, ...fields }) },
  });
  link.push('full');
  await link.idle();
  expect(warnings).toMatchObject([
    { event: 'herald-unreachable', status: 404, hint: expect.stringContaining('control port') as string },
  ]);
  link.drop();
});
