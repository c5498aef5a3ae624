// YAML is read by a daemon at its start or never, and the parser takes longer to load than Herald's own code:
// it is loaded with the first file. `require`, because a config is read before anything could be awaited.

import { createRequire } from 'node:module';
import type { DocumentOptions, parse, ParseOptions, SchemaOptions, ToJSOptions } from 'yaml';

const require = createRequire(import.meta.url);

/** Throws what the parser throws: an Error whose first line says where and why. */
export function parseYaml(
  text: string,
  options: ParseOptions & DocumentOptions & SchemaOptions & ToJSOptions = {},
): unknown {
  const yaml = require('yaml') as { parse: typeof parse };
  return yaml.parse(text, options) as unknown;
}
