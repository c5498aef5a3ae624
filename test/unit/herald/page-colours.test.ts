// Words of the operators' page can be read: contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3) in both schemes.

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const css = readFileSync('src/herald/http/page/style.css', 'utf8');
const schemes = css
  .split(':root {')
  .slice(1)
  .map((block) => new Map([...block.matchAll(/--(\w+): (#\w{6});/g)].map(([, name, hex]) => [name!, hex!])));

function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

it.each([
  ['light', 0],
  ['dark', 1],
])('%s', (_, index) => {
  const colours = schemes[index]!;
  for (const name of ['ink', 'quiet', 'good', 'warm', 'hot', 'go']) {
    expect(contrast(colours.get(name)!, colours.get('card')!), name).toBeGreaterThanOrEqual(4.5);
  }
});
