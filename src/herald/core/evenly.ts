/** A number in [0, 1) for the `index`th of many: evenly spread, and neighbours far apart (multiples of the golden ratio). */
export function evenly(index: number): number {
  return (index * 0.618033988749895) % 1;
}
