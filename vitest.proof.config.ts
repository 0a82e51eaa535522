import { defineConfig } from 'vitest/config'
import { common, globalSetup, options } from './vitest.config.ts'

/** The long tests (faults, volume, endurance), one file after the other: they measure, and need the machine. */
export default defineConfig({
  ...common,
  test: {
    ...options,
    globalSetup,
    include: ['test/proof/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    fileParallelism: false,
    testTimeout: 10 * 60_000,
    hookTimeout: 2 * 60_000,
  },
})
