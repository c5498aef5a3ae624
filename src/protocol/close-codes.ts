// Close codes of `herald.v1.json`, in bands that tell a client what to do next without knowing the code:
// 40xx do not retry, 41xx retry the same place with full jitter, 42xx ask Herald first. The same numbers
// stand in `err` frames. RFC 6455 section 7.4.2 leaves 4000-4999 to applications.

export const CLOSE = {
  protocolError: 4000,
  unauthorized: 4001,
  originRefused: 4002,
  badVersion: 4004,
  tooManyTopics: 4005,
  forbidden: 4006,
  badTopic: 4007,
  slowConsumer: 4101,
  pongTimeout: 4102,
  rateLimited: 4103,
  internal: 4104,
  brokerUnavailable: 4105,
  moved: 4200,
  draining: 4201,
  overloaded: 4202,
  ticketRefused: 4203,
  shutdown: 4204,
  helloTimeout: 4205,
} as const;

export type CloseName = keyof typeof CLOSE;
export type CloseBand = 'stop' | 'retry' | 'lookup';

/** What a client does after a close; codes outside the bands (1006 and friends) mean a fresh lookup. */
export function closeBand(code: number): CloseBand {
  if (code >= 4000 && code < 4100) return 'stop';
  if (code >= 4100 && code < 4200) return 'retry';
  // A client that broke the framing rules would break them again elsewhere.
  if (code === 1002 || code === 1003 || code === 1007 || code === 1008 || code === 1009) return 'stop';
  return 'lookup';
}

export function closeName(code: number): CloseName | 'other' {
  const found = Object.entries(CLOSE).find(([, value]) => value === code);
  return (found?.[0] as CloseName | undefined) ?? 'other';
}
