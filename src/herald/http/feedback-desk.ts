// (1) -> (2) From a body to the table: decode every report, refuse the whole post for one bad report, then take
// them in order and collect what goes back to the gateway.

import type { Socket } from 'node:net';
import type { Clock } from '../../daemon/clock.ts';
import { problem } from '../../daemon/problem.ts';
import { decodeJson } from '../../protocol/decode.ts';
import type { BrokerAddress } from '../../protocol/broker-address.ts';
import type { Directive, FeedbackReply, LoadReport } from '../../protocol/load-report.ts';
import { decodeLoadReport, REPORT_LIMITS } from '../../protocol/load-report.ts';
import type { Problem } from '../../protocol/lookup.ts';
import type { Balancer } from '../core/balancer-types.ts';
import type { HeraldMeters } from '../status/herald-meters.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { BootGuard } from './boot-guard.ts';
import { refusalProblem } from './problem.ts';
import type { ReportConnections } from './report-connections.ts';

export interface FeedbackDeskParts {
  heraldId: string;
  periodMs: number;
  balancer: Balancer;
  clock: Clock;
  meters: HeraldMeters;
  recorder: Recorder;
  connections: ReportConnections;
  /** Absent when reports are not signed: then a boot id proves nothing either way. */
  bootGuard: BootGuard | undefined;
  allowUrl: (url: string) => boolean;
  /** Control URLs of all live Heralds. */
  heralds: () => readonly string[];
  brokers: (nowMs: number) => BrokerAddress[];
}

/** What goes back. `refused` and `directives` are for people and for posts that carry several gateways. */
export interface FeedbackAnswer extends FeedbackReply {
  refused?: Record<string, number>;
  directives?: Record<string, Directive>;
}

export type Feedback = { ok: true; answer: FeedbackAnswer } | { ok: false; problem: Problem };

/** `signer` is the authenticated gateway, empty when reports are not signed. */
export type TakeFeedback = (body: string, signer: string, socket: Socket) => Feedback;

export function createFeedbackDesk(parts: FeedbackDeskParts): TakeFeedback {
  const { balancer, clock, meters, recorder, connections, bootGuard } = parts;
  return (body, signer, socket) => {
    const checked = decodeReports(body, signer, parts.allowUrl);
    if (!checked.ok) {
      meters.report(checked.problem.code);
      return checked;
    }
    const nowMs = clock.nowMs();
    let accepted = 0;
    let { periodMs } = parts;
    const refused: Record<string, number> = {};
    const directives: Record<string, Directive> = {};
    for (const report of checked.reports) {
      const verdict =
        bootGuard === undefined || bootGuard.admit(report.gateway, report.bootId)
          ? balancer.report(report, nowMs)
          : ({ taken: false, why: 'old-boot', periodMs } as const);
      periodMs = verdict.periodMs;
      if (!verdict.taken) {
        refused[verdict.why] = (refused[verdict.why] ?? 0) + 1;
        meters.report(verdict.why);
        continue;
      }
      accepted += 1;
      meters.report('taken');
      recorder.report(report, nowMs);
      connections.reported(report.gateway, socket);
      if (verdict.directive === undefined) continue;
      directives[report.gateway] = verdict.directive;
      if ('shed' in verdict.directive) meters.moveOrdered(report.gateway, verdict.directive.shed.count);
    }
    const gateways = new Set(checked.reports.map(({ gateway }) => gateway));
    const ordered = Object.values(directives);
    const answer: FeedbackAnswer = {
      accepted,
      periodMs,
      heraldId: parts.heraldId,
      nowMs: Math.round(nowMs),
      heralds: [...parts.heralds()],
      brokers: parts.brokers(nowMs),
      ...(accepted < checked.reports.length && { refused }),
      ...(gateways.size === 1 && ordered[0] !== undefined && { directive: ordered[0] }),
      ...(gateways.size > 1 && ordered.length > 0 && { directives }),
    };
    return { ok: true, answer };
  };
}

type DecodedReports = { ok: true; reports: LoadReport[] } | { ok: false; problem: Problem };

function decodeReports(body: string, signer: string, allowUrl: (url: string) => boolean): DecodedReports {
  const json = decodeJson(body);
  if (!json.ok) return { ok: false, problem: refusalProblem(json.refusal) };
  const many = Array.isArray(json.value);
  const items: unknown[] = many ? (json.value as unknown[]) : [json.value];
  if (items.length > REPORT_LIMITS.maxReportsPerPost) {
    const detail = `a post may carry ${REPORT_LIMITS.maxReportsPerPost} reports, this one has ${items.length}`;
    return { ok: false, problem: problem(413, 'too-many-reports', detail) };
  }
  const reports: LoadReport[] = [];
  for (const [index, item] of items.entries()) {
    const decoded = decodeLoadReport(item);
    if (!decoded.ok) {
      const field = many ? `[${index}].${decoded.refusal.field}` : decoded.refusal.field;
      return { ok: false, problem: refusalProblem({ ...decoded.refusal, field }) };
    }
    const { gateway, url } = decoded.value;
    if (signer !== '' && signer !== gateway) {
      const detail = `signed by ${signer}, which may not report for ${gateway}`;
      return { ok: false, problem: problem(403, 'not-your-gateway', detail) };
    }
    if (!allowUrl(url)) {
      const detail = `url ${url} is not among the allowedUrls of this Herald`;
      return { ok: false, problem: problem(403, 'url-refused', detail) };
    }
    reports.push(decoded.value);
  }
  return { ok: true, reports };
}
