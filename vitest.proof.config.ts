import { defineConfig } from 'vitest/config'
import base from './vitest.config.ts'

/** The long tests (faults, volume, endurance), one file after the other: they measure, and need the machine. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['test/proof/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    fileParallelism: false,
    testTimeout: 10 * 60_000,
    hookTimeout: 2 * 60_000,
  },
})
