// Reads a helpshift/herald file. It was written for PyYAML, so it is read as YAML 1.1: `yes` is true there.

import { readFileSync, statSync } from 'node:fs';
import { StartError } from '../../daemon/lifecycle.ts';
import { messageOf } from '../../daemon/thrown.ts';
import { parseYaml } from '../../daemon/yaml.ts';
import { refusalText } from '../../protocol/decode.ts';
import type { HelpshiftConfig } from '../core/helpshift/helpshift-config.ts';
import { decodeHelpshift } from '../core/helpshift/helpshift-config.ts';

const MAX_FILE_BYTES = 256 * 1024;
/** Aliases that multiply what they stand for beyond this are refused. */
const MAX_ALIASES = 100;

/** Throws a StartError that names the file and the key. */
export function readHelpshift(path: string): HelpshiftConfig {
  let content: unknown;
  try {
    const { size } = statSync(path);
    if (size > MAX_FILE_BYTES) throw new Error(`${size} bytes, at most ${MAX_FILE_BYTES} are read`);
    const options = {
      version: '1.1',
      uniqueKeys: false,
      maxAliasCount: MAX_ALIASES,
      logLevel: 'error',
    } as const;
    content = parseYaml(readFileSync(path, 'utf8'), options);
  } catch (error) {
    throw new StartError(`--helpshift ${path}: ${messageOf(error).split('\n')[0]}`);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new StartError(`--helpshift ${path}: expected keys and values`);
  }
  const config = decodeHelpshift(content);
  if (!config.ok) throw new StartError(`--helpshift ${path}: ${refusalText(config.refusal)}`);
  return config.value;
}
