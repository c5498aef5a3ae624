// Turns the flat options of `herald serve` into what the core takes.

import { StartError } from '../../daemon/lifecycle.ts';
import { didYouMean } from '../../protocol/nearest.ts';
import { allowedUrls } from './allowed-urls.ts';
import { PLACE_PATTERN, PLACE_WORDS } from '../../protocol/names.ts';
import type { BalancerOptions, PoolPolicy } from '../core/balancer-options.ts';
import { POLICY_NAMES } from '../core/balancer-types.ts';
import type { HeraldConfig } from './herald-options.ts';
import { optionPairs } from './option-pairs.ts';

/** Ticket numbers begin at the wall clock times this, so that they never repeat, also across restarts. */
const SEQ_PER_MS = 1_000;

export function balancerSettings(
  config: HeraldConfig,
  heraldId: string,
  epochMs: number,
  random: () => number,
): BalancerOptions {
  return {
    heraldId,
    random,
    defaultPool: {
      policy: config.policy,
      draws: config.draws,
      admitScore: config.admitScore,
      admitReturningScore: config.admitReturningScore,
      handshakeSeconds: config.handshakeSeconds,
      zoneSpill: config.zoneSpill,
      affinityBound: config.affinityBound,
      shareCap: config.shareCap,
      lookupsPerSec: config.lookupsPerSec,
      lookupBurst: config.lookupBurst,
      mover: config.mover,
      sizeTarget: config.sizeTarget,
      sizeTargetAfterLoss: config.sizeTargetAfterLoss,
    },
    pools: poolPolicies(config.poolPolicies),
    limits: {
      cpu: config.limitCpu,
      eventLoop: config.limitEventLoop,
      loopDelayP99Ms: config.limitLoopDelayP99Ms,
      memory: config.limitMemory,
      descriptors: config.limitDescriptors,
      messagesPerSec: config.limitMessagesPerSec,
      bytesPerSec: config.limitBytesPerSec,
      bufferedBytes: config.limitBufferedBytes,
      deliveryLagMs: config.limitDeliveryLagMs,
    },
    periodMs: config.periodMs,
    staleAfterMs: config.staleAfterMs,
    forgetAfterMs: config.expireAfterMs,
    maxGateways: config.maxGateways,
    allowUrl: allowedUrls(config.allowedUrls),
    firstTicketSeq: Math.floor(epochMs) * SEQ_PER_MS,
  };
}

function poolPolicies(entries: readonly string[]): Record<string, Partial<PoolPolicy>> {
  const pools: Record<string, Partial<PoolPolicy>> = {};
  for (const [pool, name] of optionPairs(entries, '--pool-policies', 'pool=policy')) {
    if (!PLACE_PATTERN.test(pool)) throw new StartError(`--pool-policies ${pool}: expected ${PLACE_WORDS}`);
    const policy = POLICY_NAMES.find((one) => one === name);
    if (policy === undefined) {
      throw new StartError(
        `--pool-policies ${pool}=${name}: not one of ${POLICY_NAMES.join(', ')}${didYouMean(name, POLICY_NAMES)}`,
      );
    }
    pools[pool] = { policy };
  }
  return pools;
}
