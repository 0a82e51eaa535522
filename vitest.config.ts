import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** In the repository @sluiceway/worker means its sources, not its last build. */
const conditions = ['source', 'module', 'node', 'development|production']

/**
 * Folders whose tests close all that they open themselves (onTestFinished), and put back what they change of the process. Their files share processes, since
 * to begin one and load the engine costs a second of the processor for each file, which is a third of all.
 */
const sharing = [
  'access',
  'api',
  'bridge',
  'call',
  'cli',
  'client',
  'hooks',
  'limiter',
  'model',
  'protocol',
  'queue',
  'recorder',
  'store',
  'topology',
].map((folder) => `test/${folder}/**/*.test.ts`)
const never = ['test/proof/**', '**/node_modules/**', '**/dist/**']

export const common = {
  resolve: { conditions },
  ssr: { resolve: { conditions } },
}
export const options = {
  pool: 'forks',
  // Most tests wait for other processes: a core left free, as by default, would only wait with them.
  maxWorkers: availableParallelism() + 1,
  testTimeout: 30_000,
  hookTimeout: 60_000,
} as const

/** Everything but the long tests of test/proof, which vitest.proof.config.ts runs. */
export default defineConfig({
  test: {
    // Only here, since a project would start services of its own.
    globalSetup: ['test/support/services.ts'],
    maxWorkers: options.maxWorkers,
    projects: [
      { ...common, test: { ...options, name: 'sharing', include: sharing, exclude: never, isolate: false } },
      {
        ...common,
        // A process per file: what a test leaves behind ends with it.
        test: {
          ...options,
          name: 'apart',
          include: ['test/**/*.test.ts', 'workers/**/*.test.ts'],
          exclude: [...never, ...sharing],
        },
      },
    ],
  },
})
