// Installs the real servers the tests run against, where this process may: Debian, root, apt-get. No
// service is started by the installation; the tests start their own on free ports and stop them.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

/** Package -> a file that shows it is there, and what needs it. */
export const PACKAGES = {
  zookeeper: { file: '/usr/share/java/zookeeper.jar', needs: 'the store tests' },
  haproxy: { file: '/usr/sbin/haproxy', needs: 'the agent-check tests' },
  faketime: { file: '/usr/bin/faketime', needs: 'the fault table with wrong clocks' },
  gcc: { file: '/usr/bin/cc', needs: 'the fan-out benchmark, whose load client is in C' },
  'libc6-dev': { file: '/usr/include/stdio.h', needs: 'the fan-out benchmark' },
  chromium: { file: '/usr/bin/chromium', needs: 'the browser tests' },
  prometheus: { file: '/usr/bin/prometheus', needs: 'the dashboard tests' },
  'graphite-carbon': { file: '/usr/bin/carbon-cache', needs: 'the StatsD dashboard tests' },
  'graphite-web': { file: '/usr/bin/graphite-manage', needs: 'the StatsD dashboard tests' },
};

const POLICY = '/usr/sbin/policy-rc.d';

/** Returns the packages that are still missing, after an attempt to install them. */
export function ensurePackages() {
  const missing = () => Object.keys(PACKAGES).filter((name) => !existsSync(PACKAGES[name].file));
  const wanted = missing();
  if (wanted.length === 0 || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return wanted;

  console.log(`installing Debian packages for the tests: ${wanted.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) =>
    spawnSync('apt-get', ['-q', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  // Debian starts daemons as it installs them unless this file says no.
  const ours = !existsSync(POLICY);
  if (ours) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    apt('update');
    apt('install', '-y', '--no-install-recommends', ...wanted);
  } finally {
    if (ours) rmSync(POLICY, { force: true });
  }
  return missing();
}
