import { defineConfig } from 'vitest/config'
import { common, options } from './vitest.config.ts'

const long = { testTimeout: 10 * 60_000, hookTimeout: 2 * 60_000 } as const

/** Proofs that hold whatever else the machine does: what they wait for are installations, browsers, and processes that start. */
const patient = [
  'test/proof/api/**/*.test.ts',
  'test/proof/start/**/*.test.ts',
  'test/proof/{cities,copies,cron,disk-full,faults,faults-cluster,large,model,package,quickstart,repeats,rerun}.test.ts',
  'test/proof/console/{editor,hindrances,large-body,operating,prefetch,publishing,renaming,runs,shell,trash}.test.ts',
]

/** The long tests (faults, volume, endurance): those that measure one after the other, since they need the machine; then the others, two at a time. */
export default defineConfig({
  test: {
    globalSetup: ['test/support/services-on-disk.ts'],
    projects: [
      {
        ...common,
        test: {
          ...options,
          ...long,
          name: 'alone',
          include: ['test/proof/**/*.test.ts'],
          exclude: [...patient, '**/node_modules/**'],
          maxWorkers: 1,
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...common,
        test: { ...options, ...long, name: 'beside', include: patient, maxWorkers: 2, sequence: { groupOrder: 1 } },
      },
    ],
  },
})
