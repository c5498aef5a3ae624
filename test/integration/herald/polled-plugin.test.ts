// What a plugin of helpshift/herald answers before and after its first reading of a real file.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../../src/daemon/clock.ts';
import { silentLog } from '../../../src/daemon/log.ts';
import { startPolledPlugin } from '../../../src/herald/helpshift/polled-plugin.ts';
import { readHelpshift } from '../../../src/herald/helpshift/read-helpshift.ts';

it('who asks before the first reading gets what it read, and later the last reading at once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'herald-plugin-'));
  try {
    writeFileSync(join(folder, 'value'), '30');
    writeFileSync(
      join(folder, 'config.yml'),
      `name: myservice
port: 5555
plugins:
  - name: value
    herald_plugin_name: herald_file
    file_path: ${join(folder, 'value')}
    interval: 60
    thresholds_metric: "float(r)"
    thresholds:
      - pct: 100
`,
    );
    const [plugin] = readHelpshift(join(folder, 'config.yml')).plugins;
    const polled = startPolledPlugin(plugin!, systemClock, silentLog);
    // Asked in the same turn: nothing can have been read yet.
    const asked = polled.answer();
    expect(asked).toBeInstanceOf(Promise);
    expect(await asked).toMatchObject({ health: 'up', weightPercent: 70 });
    expect(polled.answer()).toMatchObject({ health: 'up', weightPercent: 70 });
    polled.stop();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
