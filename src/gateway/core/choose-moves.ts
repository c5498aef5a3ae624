// (8) Which connections to hand over when Herald asks for so much load. Each time the heaviest of a few drawn
// at random: enough to prefer the heavy ones without sorting all. None heavier than half of what is left, so
// that the last one does not overshoot; none that moved lately, so that nobody is chased around.

export interface Movable {
  /** Load this connection causes, in the unit of the order's `work`. */
  load(): number;
  /** When it was last told to move, or arrived by a move; -Infinity = never. */
  readonly movedMs: number;
}

const DRAWS = 8;
export const REST_AFTER_MOVE_MS = 600_000;
/** Draws that find nobody to move before it gives up; some connections may all be too heavy or too fresh. */
const FRUITLESS_DRAWS = 200;

export interface MoveAmount {
  count: number;
  /** Undefined = only the count limits. */
  work: number | undefined;
}

export function chooseMoves<T extends Movable>(
  connections: readonly T[],
  { count, work }: MoveAmount,
  nowMs: number,
  random: () => number,
): T[] {
  const chosen = new Set<T>();
  let left = work ?? Infinity;
  let fruitless = 0;
  while (chosen.size < count && left > 0 && fruitless < FRUITLESS_DRAWS && connections.length > 0) {
    let heaviest: T | undefined;
    let heaviestLoad = -1;
    for (let draw = 0; draw < DRAWS; draw++) {
      const one = connections[Math.floor(random() * connections.length)]!;
      if (chosen.has(one) || nowMs - one.movedMs < REST_AFTER_MOVE_MS) continue;
      const load = one.load();
      if (load > left / 2 || load <= heaviestLoad) continue;
      heaviest = one;
      heaviestLoad = load;
    }
    if (!heaviest) {
      fruitless += 1;
      continue;
    }
    fruitless = 0;
    chosen.add(heaviest);
    left -= heaviestLoad;
  }
  return [...chosen];
}
