// The ops page in a real browser: it shows the table live, and a click drains a gateway.

import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandPath, requireServer } from '../../launch/require-server.ts';
import type { TcpProxy } from '../../launch/tcp-proxy.ts';
import { startTcpProxy } from '../../launch/tcp-proxy.ts';
import type { OneHerald } from '../herald/one-herald.ts';
import { oneHerald, report } from '../herald/one-herald.ts';

const QUIET = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
/** Gateways may have long names. */
const FLEET = `gateway-of-the-${'very-'.repeat(12)}large-fleet`;
const NO_CALLS_HOME = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];

describe.runIf(requireServer('chromium'))('the ops page', () => {
  let herald: OneHerald;
  let network: TcpProxy;
  let browser: Browser;
  let page: Page;
  const troubles: string[] = [];
  const silent = new Set<string>();
  let seq = 0;
  let reporting: NodeJS.Timeout;

  const tell = async (): Promise<void> => {
    seq += 1;
    const reports = ['ws-1', 'ws-2']
      .map((id, i) => report(id, { seq, cpu: 0.2 + 0.4 * i, connections: 10 * seq }))
      .filter(({ gateway }) => !silent.has(String(gateway)));
    await fetch(`${herald.addresses.control}/v1/feedback`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(reports),
    });
  };

  beforeAll(async () => {
    herald = await oneHerald();
    network = await startTcpProxy(Number(new URL(herald.addresses.admin).port));
    await tell();
    reporting = setInterval(() => void tell(), 300);
    browser = await chromium.launch({
      executablePath: commandPath('chromium')!,
      args: [...QUIET, ...NO_CALLS_HOME],
    });
    page = await browser.newPage();
    page.on('pageerror', (error) => troubles.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') troubles.push(message.text());
    });
    await page.goto(`http://${network.address}`);
  });
  afterAll(async () => {
    clearInterval(reporting);
    await browser.close();
    await network.close();
    await herald.close();
  });

  it('shows every gateway with its state, and keeps up with the reports', async () => {
    const row = page.locator('#rows tr', { hasText: 'ws-2' });
    await row.waitFor();
    expect(await page.locator('#rows tr').count()).toBe(2);
    expect(await row.locator('.state').textContent()).toBe('up');
    const first = await page.locator('#f-connections').textContent();
    await expect
      .poll(() => page.locator('#f-connections').textContent(), { timeout: 10_000 })
      .not.toBe(first);
  });

  it('drains a gateway by a click, with the reason kept', async () => {
    await page.locator('#rows tr', { hasText: 'ws-1' }).getByRole('button', { name: /drain/i }).click();
    await page.locator('#steer-reason').fill('new kernel');
    await page.locator('#steer-go').click();
    await page.locator('#rows tr', { hasText: 'ws-1' }).locator('.state.drain').waitFor();
    const reply = await fetch(`${herald.addresses.admin}/v1/gateways/ws-1`);
    const { desired } = (await reply.json()) as { desired: { state: string; reason: string } };
    expect(desired).toMatchObject({ state: 'drain', reason: 'new kernel' });
    // Its button has no more use; who steers by keyboard is not thrown back to the top of the page.
    const focused = (): Promise<string> => page.evaluate("document.activeElement.getAttribute('aria-label')");
    await expect.poll(focused).toBe('Maint ws-1');
  });

  it('says first until when, with the day unless that is today', async () => {
    await fetch(`${herald.addresses.admin}/v1/gateways/ws-1/drain`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'new kernel', author: 'ann', forMs: 50 * 3_600_000 }),
    });
    const why = page.locator('#rows tr', { hasText: 'ws-1' }).locator('.state + .sub');
    await expect.poll(() => why.textContent()).toMatch(/^until \w{3} \d+, \d+:\d\d\s[AP]M, ann, new kernel$/);
  });

  it.each([390, 620, 820, 900, 1_024, 1_280])(
    'fits %i pixels: nothing lies beyond the edge, least of all Drain',
    async (width) => {
      await page.setViewportSize({ width, height: 800 });
      const drain = page.locator('#rows tr', { hasText: 'ws-2' }).getByRole('button', { name: /drain/i });
      await drain.scrollIntoViewIfNeeded();
      const box = await drain.boundingBox();
      expect(box!.x).toBeGreaterThanOrEqual(0);
      expect(box!.x + box!.width).toBeLessThanOrEqual(width);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      expect(await page.evaluate("document.querySelector('.scroll').scrollLeft")).toBe(0);
    },
  );

  it('shows no load of one that fell silent as if it were news, and says so in red', async () => {
    await page.setViewportSize({ width: 1_200, height: 800 });
    // The last one reports on without it.
    silent.add('ws-2');
    const row = page.locator('#rows tr', { hasText: 'ws-2' });
    await row.locator('.state.stale').waitFor();
    expect(await row.locator('.load .num').textContent()).toBe('-');
    expect(await row.locator('.bar i').getAttribute('style')).toMatch(/width: 0(px|%|;)/);
    expect(await row.locator('.bar').getAttribute('title')).toMatch(/^last reported 60 %/);
    expect(await page.locator('#alarms').innerText()).toContain('1 of 2 gateways is silent');
    const [stale, expired, up] = await page.evaluate<string[]>(`['stale', 'expired', 'up'].map((state) => {
      const word = document.querySelector('#rows').appendChild(document.createElement('i'));
      word.className = 'state ' + state;
      const { color } = getComputedStyle(word);
      word.remove();
      return color;
    })`);
    expect(expired).toBe(stale);
    expect(expired).not.toBe(up);
  });

  it('of a large fleet shows 200 rows, and finds the others', async () => {
    for (const from of [1, 151]) {
      const many = Array.from({ length: 150 }, (_, i) =>
        // It reports once: none of these is to fall silent while the page is looked at.
        report(`${FLEET}-${from + i}`, { seq: 1, cpu: 0.1, periodMs: 10_000 }),
      );
      const body = JSON.stringify(many);
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${herald.addresses.control}/v1/feedback`, {
        method: 'POST',
        headers,
        body,
      });
      expect(answer.status).toBe(200);
    }
    await expect.poll(() => page.locator('#shown').textContent()).toBe('the first 200 of 302');
    expect(await page.locator('#rows tr').count()).toBe(200);
    // The silent one and the drained one are not for the operator to look for.
    expect((await page.locator('#rows tr b').allTextContents()).slice(0, 3)).toEqual([
      'ws-2',
      'ws-1',
      `${FLEET}-1`,
    ]);
    await page.locator('#filter').fill('fleet-300');
    const row = page.locator('#rows tr', { hasText: 'fleet-300' });
    await row.waitFor();
    expect(await page.locator('#shown').textContent()).toBe('1 of 302');
    // However long its name is, no figure of it lies under the buttons.
    for (const width of [400, 800, 1_024, 1_280]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await page.evaluate("document.querySelector('.scroll').scrollWidth")).toBeLessThanOrEqual(width);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      const [age, steer] = await Promise.all(
        [8, 9].map((n) => row.locator(`td:nth-child(${n})`).boundingBox()),
      );
      expect(width === 400 || age!.x + age!.width <= steer!.x).toBe(true);
    }
    await page.locator('#filter').fill('');
  });

  it('does not pass an old table for a new one when its Herald falls silent, and goes on when it is back', async () => {
    const link = page.locator('#link');
    expect(await link.textContent()).toBe('live');
    network.freeze();
    await expect.poll(() => link.textContent(), { timeout: 10_000 }).toBe('no answer, trying again');
    network.thaw();
    await expect.poll(() => link.textContent(), { timeout: 10_000 }).toBe('live');
  });

  it('logs no error', () => {
    expect(troubles).toEqual([]);
  });

  it('says so when its Herald is gone', async () => {
    clearInterval(reporting);
    await herald.close();
    await expect.poll(() => page.locator('body').innerText(), { timeout: 20_000 }).toMatch(/trying again/);
  });
});
