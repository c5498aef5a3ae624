// `herald sim --replay`: what each policy would have answered to the lookups of a recording (`herald record`).

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { StartError } from '../../daemon/lifecycle.ts';
import { messageOf } from '../../daemon/thrown.ts';
import { refusalText } from '../../protocol/decode.ts';
import { decodeRecordedLine, replay } from '../../sim/index.ts';
import type { RecordedEvent, ReplayResult, SimPolicy } from '../../sim/index.ts';
import type { Output } from '../text/output.ts';

/** The others need what a recording does not tell. */
const isReplayed = (policy: SimPolicy) => policy !== 'leastconn' && policy !== 'oracle';

/** Prints a line a policy. Rejects with a StartError for a file that is no recording. */
export async function replayFile(
  path: string,
  policies: readonly SimPolicy[],
  seed: number,
  output: Output,
): Promise<void> {
  const events = await readRecording(path);
  const untold = policies.filter((policy) => !isReplayed(policy));
  if (untold.length > 0) {
    throw new StartError(`--policy ${untold.join(' ')}: a recording does not tell what such a policy needs`);
  }
  const results = policies.filter(isReplayed).map((policy) => replay(events, { policy, seed }));
  if (output === 'json') console.log(JSON.stringify(results, null, 2));
  else if (output === 'ndjson') for (const result of results) console.log(JSON.stringify(result));
  else printReplays(results);
}

function printReplays(results: readonly ReplayResult[]): void {
  console.log('policy        reports  lookups  refused  max/mean  longest run');
  for (const { policy, reports, lookups, refused, maxMean, longestRun } of results) {
    const refusals = Object.values(refused).reduce((sum, count) => sum + count, 0);
    const cells = [
      policy.padEnd(12),
      String(reports).padStart(8),
      String(lookups).padStart(8),
      String(refusals).padStart(8),
      maxMean.toFixed(2).padStart(9),
      String(longestRun).padStart(12),
    ];
    console.log(cells.join(' '));
  }
}

async function readRecording(path: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  let number = 0;
  let noJson: StartError | undefined;
  try {
    for await (const line of createInterface({ input: createReadStream(path) })) {
      number += 1;
      if (line.trim() === '') continue;
      if (noJson) throw noJson;
      const event = decodeRecordedLine(line);
      if (event.ok) {
        events.push(event.value);
        continue;
      }
      const refused = new StartError(`${path}:${number}: ${refusalText(event.refusal)}`);
      if (event.refusal.field !== 'line') throw refused;
      noJson = refused;
    }
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`${path}: ${messageOf(error)}`);
  }
  if (noJson && events.length === 0) throw noJson;
  // Half a line at the end is of a Herald that is still writing, or was killed as it wrote.
  if (noJson) console.error(`${noJson.message}; left out, since it is the last line`);
  return events;
}
