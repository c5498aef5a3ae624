// One project a kind of test (see CONTRIBUTING.md). Unit and property tests and the long runs of the simulator
// share a process for each core (left to itself vitest leaves one core idle, which is half of two); the others own real
// servers, so they run isolated and a file at a time.
import { defineConfig } from 'vitest/config';

const pure = (name: string, include = [`test/${name}/**/*.test.ts`]) => ({
  extends: true as const,
  test: { name, include, isolate: false, maxWorkers: '100%', testTimeout: 60_000 },
});
const real = (name: string, testTimeout: number, include = [`test/${name}/**/*.test.ts`]) => ({
  extends: true as const,
  test: {
    name,
    include,
    testTimeout,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});

export default defineConfig({
  test: {
    projects: [
      pure('unit'),
      pure('property'),
      real('contract', 60_000),
      pure('sim', ['test/integration/sim/*.test.ts']),
      real('integration', 60_000, ['test/integration/!(sim)/*.test.ts']),
      real('e2e', 180_000, ['test/e2e/*/**/*.test.ts']),
      // A step of its own in `npm test`: nothing else of it may run beside a table that judges milliseconds.
      real('faults', 180_000, ['test/e2e/faults.test.ts']),
    ],
  },
});
