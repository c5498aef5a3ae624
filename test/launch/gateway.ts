// A real gateway on a free port, and clients that speak to it frame by frame.

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { loadConfig } from '../../src/daemon/config.ts';
import { systemClock } from '../../src/daemon/clock.ts';
import { silentLog } from '../../src/daemon/log.ts';
import { createMetrics } from '../../src/daemon/metrics.ts';
import type { Metrics } from '../../src/daemon/metrics.ts';
import type { GatewayConfig } from '../../src/gateway/config/gateway-options.ts';
import { gatewayOptions } from '../../src/gateway/config/gateway-options.ts';
import type { GatewayHandle, StartGatewayParts } from '../../src/gateway/start-gateway.ts';
import { startGateway } from '../../src/gateway/start-gateway.ts';
import type { SubscribeItem } from '../../src/protocol/client-frames.ts';
import { closeLater } from './close-later.ts';
import { LooseLink } from './loose-link.ts';

export interface LaunchedGateway {
  gateway: GatewayHandle;
  link: LooseLink;
  metrics: Metrics;
  url: string;
  port: number;
}

/** A gateway without Herald and brokers; messages come from `link`. */
export async function launchGateway(
  config: Partial<GatewayConfig> = {},
  parts: Partial<StartGatewayParts> = {},
): Promise<LaunchedGateway> {
  const link = new LooseLink();
  const metrics = createMetrics();
  const gateway = await startGateway(
    {
      ...loadConfig(gatewayOptions, {}),
      listen: '127.0.0.1:0',
      heralds: [],
      shutdownSpreadMs: 0,
      maxWaitMs: 5,
      ...config,
    },
    { log: silentLog, metrics, clock: systemClock, openLink: link.open, ...parts },
  );
  return { gateway, link, metrics, url: gateway.url, port: Number(new URL(gateway.url).port) };
}

/** The same for one test: closed when that is over. */
export async function gatewayForTest(...how: Parameters<typeof launchGateway>): Promise<LaunchedGateway> {
  const launched = await launchGateway(...how);
  closeLater(launched.gateway);
  return launched;
}

export interface ClientOptions {
  caps?: string[];
  protocols?: string[];
  headers?: Record<string, string>;
  deflate?: boolean;
  token?: string;
}

type Frame = Record<string, unknown> & { op: string };

/** A client that keeps every frame it got; `next` waits for one. */
export class TestClient {
  readonly ws: WebSocket;
  readonly frames: Frame[] = [];
  closed: { code: number; reason: string } | undefined;
  #read = 0;
  #wake: () => void = () => {};
  #id = 0;

  constructor(url: string, options: ClientOptions = {}) {
    this.ws = new WebSocket(url, ['herald.v1.json', ...(options.protocols ?? [])], {
      perMessageDeflate: options.deflate ?? false,
      headers: options.headers ?? {},
    });
    this.ws.on('message', (data: Buffer) => {
      this.frames.push(JSON.parse(data.toString()) as Frame);
      this.#wake();
    });
    this.ws.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#wake();
    });
    this.ws.on('error', () => {});
  }

  static async connect(url: string, options: ClientOptions = {}): Promise<TestClient> {
    const client = new TestClient(url, options);
    await once(client.ws, 'open');
    client.send({
      op: 'hello',
      v: 1,
      caps: options.caps ?? ['gap', 'move'],
      ...(options.token !== undefined && { token: options.token }),
    });
    await client.next('welcome');
    return client;
  }

  send(frame: object | string): void {
    this.ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** Subscribes and returns the items of `ok`. */
  async subscribe(...topics: (string | SubscribeItem)[]): Promise<Record<string, unknown>[]> {
    const id = ++this.#id;
    this.send({ op: 'sub', id, c: topics });
    const ok = await this.next('ok', (frame) => frame['id'] === id);
    return ok['c'] as Record<string, unknown>[];
  }

  /** The next frame with this op that was not read before; other frames are passed over. */
  async next(op: string, fits: (frame: Frame) => boolean = () => true, withinMs = 5_000): Promise<Frame> {
    const untilMs = performance.now() + withinMs;
    while (true) {
      while (this.#read < this.frames.length) {
        const frame = this.frames[this.#read++]!;
        if (frame.op === op && fits(frame)) return frame;
      }
      if (this.closed) throw new Error(`closed with ${this.closed.code} while waiting for ${op}`);
      await this.#change(untilMs, `no ${op} within ${withinMs} ms`);
    }
  }

  async messages(count: number, withinMs = 5_000): Promise<unknown[]> {
    const found: unknown[] = [];
    while (found.length < count) found.push((await this.next('msg', undefined, withinMs))['d']);
    return found;
  }

  async closing(withinMs = 5_000): Promise<{ code: number; reason: string }> {
    const untilMs = performance.now() + withinMs;
    while (!this.closed) await this.#change(untilMs, `not closed within ${withinMs} ms`);
    return this.closed;
  }

  async #change(untilMs: number, complaint: string): Promise<void> {
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0) throw new Error(complaint);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, leftMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Goes away without a word. */
  drop(): void {
    this.ws.terminate();
  }
}
