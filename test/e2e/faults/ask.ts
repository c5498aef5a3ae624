// Small questions over HTTP, each with a deadline; a broken connection throws.

import { request } from 'undici';

export interface JsonAnswer {
  status: number;
  json: unknown;
  text: string;
}

const DEADLINE_MS = 2_000;

export async function askJson(origin: string, path: string, post?: unknown): Promise<JsonAnswer> {
  const { statusCode, body } = await request(`${origin}${path}`, {
    signal: AbortSignal.timeout(DEADLINE_MS),
    ...(post !== undefined && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(post),
    }),
  });
  const text = await body.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: statusCode, json, text };
}
