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
  const common = {
    durable: false,
    cacheDir: process.env.SLUICE_CACHE,
    natsServer: process.env.SLUICE_NATS_SERVER,
    log: (line: string) => void process.stderr.write(`${line}\n`),
  }
  // Streams reserve more room than memory has, and hardly use it.
  const [natsDir, postgresDir] = [await scratchFolder(true), await scratchFolder(isOnDisk)]
  const nats = await startEmbedded({ ...common, dataDir: natsDir, postgresUrl: 'postgres://unused.invalid/none' })
  const { postgres, postgresUrl, stop } = await startEmbedded({
    ...common,
    dataDir: postgresDir,
    natsUrl: nats.natsUrl,
  })
  await migrate(await postgres.createDatabase(templateDatabase))
  project.provide('natsUrl', nats.natsUrl)
  project.provide('postgresUrl', postgresUrl)
  project.provide('templateDatabase', templateDatabase)
  return async () => {
    await stop()
    await nats.stop()
    for (const folder of [natsDir, postgresDir]) await clear(folder)
  }
}

async function clear(folder: string): Promise<void> {
  const left = processesOf(folder)
  if (left.length > 0) {
    // vitest prints what a teardown throws, and goes on to exit with 0.
    process.exitCode = 1
    throw new Error(`still running after the tests: ${left.join('; ')}`)
  }
  await rm(folder, { recursive: true })
}
