import { rm } from 'node:fs/promises'
import type { TestProject } from 'vitest/node'
import { startEmbedded } from '../../runtime/embedded/index.ts'
import { migrate } from '../../runtime/store/migrate.ts'
import { processesOf } from './leaks.ts'
import { scratchFolder } from './scratch.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** One nats-server for the whole run: tests keep apart by topology ids of their own. */
    natsUrl: string
    /** One Postgres for the whole run: tests take a database of their own by freshDatabase(). */
    postgresUrl: string
    /** Name of the migrated database that freshDatabase() copies. */
    templateDatabase: string
  }
}

const templateDatabase = 'migrated'

/** Starts the real services once for all test files, and fails the run if anything of them is left at its end. */
export default async function setup(project: TestProject, isOnDisk = false): Promise<() => Promise<void>> {
  const dataDir = await scratchFolder(isOnDisk)
  const services = await startEmbedded({
    dataDir,
    durable: false,
    cacheDir: process.env.SLUICE_CACHE,
    natsServer: process.env.SLUICE_NATS_SERVER,
    log: (line) => void process.stderr.write(`${line}\n`),
  })
  await migrate(await services.postgres.createDatabase(templateDatabase))
  project.provide('natsUrl', services.natsUrl)
  project.provide('postgresUrl', services.postgresUrl)
  project.provide('templateDatabase', templateDatabase)
  return async () => {
    await services.stop()
    const left = processesOf(dataDir)
    if (left.length > 0) {
      // vitest prints what a teardown throws, and goes on to exit with 0.
      process.exitCode = 1
      throw new Error(`still running after the tests: ${left.join('; ')}`)
    }
    await rm(dataDir, { recursive: true })
  }
}
