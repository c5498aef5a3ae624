import { expect, test } from 'vitest';
import { checkHeraldId } from '../../../src/herald/config/config-check.ts';

test('the id of a Herald has no colon, and what it may have is told without one', () => {
  expect(() => checkHeraldId('herald-1')).not.toThrow();
  expect(() => checkHeraldId('a:b')).toThrow(
    '--id a:b: expected an id: 1 to 128 of A-Z a-z 0-9 . _ -, the first a letter or digit',
  );
});
