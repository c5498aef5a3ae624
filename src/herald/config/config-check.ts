// The configuration of one Herald as a whole: what no single option can tell. For `herald config check`, and for
// the daemon before it opens anything.

import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { checkZookeeperOptions } from '../../cluster/zookeeper-address.ts';
import type { Address } from '../../daemon/address.ts';
import { checkApart, checkReachable } from '../../daemon/address.ts';
import { isHttpUrl } from '../../daemon/config.ts';
import { StartError } from '../../daemon/lifecycle.ts';
import { checkCluster, checkCommon } from '../../daemon/options.ts';
import { readCertificate } from '../../daemon/tls.ts';
import { hideCredentials } from '../../protocol/decode.ts';
import { BASE_URL_PATTERN, ID_PATTERN, ID_WORDS } from '../../protocol/names.ts';
import { fixedAgentPorts } from '../agent-check/agent-ports.ts';
import { balancerSettings } from './balancer-settings.ts';
import type { HeraldConfig } from './herald-options.ts';
import { readHelpshift } from '../helpshift/read-helpshift.ts';
import { optionPairs } from './option-pairs.ts';
import { allowedPeers, listenAddresses } from './private-ports.ts';

/** Throws a StartError that names the option. */
export function checkConfig(config: HeraldConfig): void {
  checkCommon(config);
  readCertificate(config);
  checkCluster(config.cluster);
  checkZookeeperOptions(config);
  if (config.store === 'zookeeper' && config.zookeeper === '') {
    throw new StartError('--store zookeeper needs --zookeeper host:port');
  }
  checkControlUrl(config.controlUrl);
  const { snapshotFile, recordFile } = config;
  if (snapshotFile !== '' && recordFile !== '' && resolve(snapshotFile) === resolve(recordFile)) {
    throw new StartError(`--record-file ${recordFile}: --snapshot-file has this file already`);
  }
  if (config.id !== '') checkHeraldId(config.id);
  checkPorts(config);
  allowedPeers(config.agentAllow);
  config.helpshift.forEach(readHelpshift);
  optionPairs(config.agentServers, '--agent-servers', 'backend/server=gateway');
  balancerSettings(config, 'herald', 0, () => 0);
}

/** Other Heralds and gateways are told it, and take no other form of it. */
function checkControlUrl(url: string): void {
  if (url === '') return;
  if (!BASE_URL_PATTERN.test(url) || !isHttpUrl(url)) {
    throw new StartError(
      `--control-url ${hideCredentials(url)}: expected an http:// or https:// URL, no credentials, no query`,
    );
  }
  checkReachable('--control-url', new URL(url).hostname);
}

function checkPorts(config: HeraldConfig): void {
  const listens = listenAddresses(config);
  const fixed = fixedAgentPorts(config).map(
    ({ port }) => ['--agent-ports', { host: listens.agent.host, port }] as const,
  );
  const flags = Object.entries(listens).map(
    ([name, address]) => [`--${name}-listen`, address as Address] as const,
  );
  checkApart([...flags, ...fixed]);
}

/** What stops no start and leaves a wish unfulfilled, each as a line: a disk that comes later may bring the folder. */
export function configDoubts(config: HeraldConfig): string[] {
  const { snapshotFile, recordFile, periodMs, staleAfterMs, expireAfterMs } = config;
  const { admitScore, admitReturningScore } = config;
  const doubts = Object.entries({ snapshotFile, recordFile }).flatMap(([key, path]) =>
    path === '' || existsSync(dirname(path))
      ? []
      : [`${key}: there is no folder ${dirname(path)}, and the daemon makes none`],
  );
  if (staleAfterMs < 2 * periodMs) {
    doubts.push(
      `staleAfterMs ${staleAfterMs}: less than twice periodMs ${periodMs}, so one late report makes a gateway stale`,
    );
  }
  if (expireAfterMs <= staleAfterMs) {
    doubts.push(
      `expireAfterMs ${expireAfterMs}: not above staleAfterMs ${staleAfterMs}, so no gateway is ever stale`,
    );
  }
  if (admitReturningScore < admitScore) {
    doubts.push(
      `admitReturningScore ${admitReturningScore}: below admitScore ${admitScore}, so clients that come back are refused before newcomers`,
    );
  }
  return doubts;
}

export function checkHeraldId(id: string): void {
  // A ticket's fields are split at dots and its form allows no colon in the Herald's id.
  if (!ID_PATTERN.test(id) || id.includes(':')) {
    throw new StartError(`--id ${id}: expected ${ID_WORDS.replace(' :', '')}`);
  }
}
