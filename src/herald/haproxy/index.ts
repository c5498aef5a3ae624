// What the CLI and the admin port take from here.

export { haproxyConfig } from './haproxy-config.ts';
export type { HaproxyConfigInput, HaproxyServer } from './haproxy-config.ts';
export { lintHaproxy } from './lint-haproxy.ts';
export type { LintFinding } from './lint-haproxy.ts';
