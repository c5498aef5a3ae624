// One keep-alive connection that asks lookups one after the other: what a closed loop is made of. Each
// question has its own deadline; a broken or late connection is replaced at the next one.

import { Client } from 'undici';

export interface LookupAnswer {
  status: number;
  names: string[];
  tableAgeMs: number;
  trouble: string;
}

export interface LookupLine {
  ask(deadlineMs: number): Promise<LookupAnswer>;
  close(): Promise<void>;
}

export function openLookupLine(origin: string): LookupLine {
  const client = new Client(origin, {
    connect: { timeout: 60_000 },
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 4_000,
  });
  return {
    async ask(deadlineMs) {
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(new Error(`no answer in ${deadlineMs} ms`)), deadlineMs);
      try {
        const { statusCode, body } = await client.request({
          method: 'GET',
          path: '/v1/lookup',
          signal: late.signal,
        });
        return readAnswer(statusCode, await body.text());
      } catch (error) {
        return { status: 0, names: [], tableAgeMs: 0, trouble: (error as Error).message };
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => client.destroy(),
  };
}

function readAnswer(status: number, text: string): LookupAnswer {
  if (status !== 200) return { status, names: [], tableAgeMs: 0, trouble: text.slice(0, 300) };
  const reply = JSON.parse(text) as {
    gateway: string;
    alternates: { gateway: string }[];
    table: { ageMs: number };
  };
  const names = [reply.gateway, ...reply.alternates.map(({ gateway }) => gateway)];
  return { status, names, tableAgeMs: reply.table.ageMs, trouble: '' };
}
