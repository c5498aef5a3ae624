import { closeSync, openSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openFilesLimit } from '../../../src/daemon/descriptors.ts';
import { createDescriptorMeter } from '../../../src/daemon/open-descriptors.ts';

const FILES = 50;

it.runIf(openFilesLimit() < Infinity)('counts the open descriptors of this process', async () => {
  const meter = createDescriptorMeter();
  const before = await meter();
  const files = Array.from({ length: FILES }, () => openSync('/dev/null', 'r'));
  const after = await meter();
  files.forEach((file) => closeSync(file));
  expect(before?.limit).toBe(openFilesLimit());
  // Other tests in this process may open and close some of their own.
  expect(after!.open - before!.open).toBeGreaterThan(FILES / 2);
  expect(after!.open - before!.open).toBeLessThan(FILES * 2);
});
