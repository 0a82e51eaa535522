import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** Everything but the long tests of test/proof, which vitest.proof.config.ts runs. */
export default defineConfig({
  // In the repository @sluiceway/worker means its sources, not its last build.
  resolve: { conditions: ['source', 'module', 'node', 'development|production'] },
  ssr: { resolve: { conditions: ['source', 'module', 'node', 'development|production'] } },
  test: {
    include: ['test/**/*.test.ts', 'workers/**/*.test.ts'],
    exclude: ['test/proof/**', '**/node_modules/**', '**/dist/**'],
    globalSetup: ['test/support/services.ts'],
    // A process per file: what a test leaves behind ends with it.
    pool: 'forks',
    // Most tests wait for other processes: a core left free, as by default, would only wait with them.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
