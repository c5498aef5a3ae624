// Burns CPU in this process on purpose, in slices: how `herald up` shows that lookups go elsewhere when a
// gateway is squeezed. Never on by itself.

const PERIOD_MS = 20;

export interface Squeeze {
  /** 0 stops it; 0.9 leaves a tenth of a core. */
  set(shareOfCore: number): void;
}

export function createSqueeze(): Squeeze {
  let timer: NodeJS.Timeout | undefined;
  return {
    set(shareOfCore) {
      clearInterval(timer);
      const burnMs = PERIOD_MS * Math.min(0.95, Math.max(0, shareOfCore));
      if (burnMs === 0 || !Number.isFinite(burnMs)) return;
      timer = setInterval(() => {
        const untilMs = performance.now() + burnMs;
        while (performance.now() < untilMs);
      }, PERIOD_MS);
      timer.unref();
    },
  };
}
