import { describe, expect, it } from 'vitest';
import { until } from '../../launch/until.ts';
import { herald, reporter } from './given.ts';

describe('a reporter that is closed', () => {
  it('says goodbye: a draining report, then DELETE, then the connection closes', async () => {
    const h = await herald();
    const r = reporter({ heralds: [h.url], gateway: 'g:1' });
    await r.flush();
    await r.close();
    expect(h.reports().at(-1)).toMatchObject({ state: 'draining', kind: 'full' });
    expect(h.seen.at(-1)).toMatchObject({ method: 'DELETE', path: '/v1/feedback/g%3A1' });
    await until('the connection is closed', () => h.openConnections() === 0);
  });

  it('says goodbye although what it counts and measures is gone', async () => {
    const h = await herald();
    let server: { clients: number } | undefined = { clients: 7 };
    const r = reporter({
      heralds: [h.url],
      counters: () => ({ connections: server!.clients }),
      signals: () => ({ messagesPerSec: server!.clients }),
    });
    await r.flush();
    server = undefined;
    await r.close();
    expect(h.reports().at(-1)).toMatchObject({ state: 'draining', connections: 7, messagesPerSec: 7 });
    expect(h.seen.at(-1)).toMatchObject({ method: 'DELETE' });
  });

  it('closes in time although no Herald answers', async () => {
    const h = await herald();
    h.answer = () => new Promise(() => {});
    const r = reporter({ heralds: [h.url, 'http://127.0.0.1:9'] });
    const startMs = performance.now();
    await r.close();
    expect(performance.now() - startMs).toBeLessThan(1_900);
  });
});
