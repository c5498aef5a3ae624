// HAProxy before three Heralds, for the lookups themselves: checked by /readyz, and a lookup that meets a
// dead or frozen Herald goes on to the next one, after as long as a client waits for one Herald. A lookup may be
// asked twice without harm, hence the retries.

export function lookupFrontend(port: number, heralds: readonly { id: string; publicUrl: string }[]): string {
  const servers = heralds.map(({ id, publicUrl }) => `  server ${id} ${publicUrl.slice('http://'.length)}`);
  return `defaults
  mode http
  timeout connect 200ms
  timeout client 10s
  timeout server 300ms
  timeout http-request 5s
  retries 2
  option redispatch 1
  retry-on all-retryable-errors

frontend lookups
  bind 127.0.0.1:${port}
  default_backend heralds

backend heralds
  balance roundrobin
  option httpchk GET /readyz
  default-server check inter 250ms fall 2 rise 1
${servers.join('\n')}
`;
}
