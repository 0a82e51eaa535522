import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { findNatsServer } from '../../runtime/embedded/nats-binary.ts'
import { freePort } from '../../runtime/embedded/process.ts'

/** A nats-server of a test's own, which it can starve, stop and start again at the same address. */
export interface OwnNats {
  readonly url: string
  /** Ends it as SIGTERM does, and starts it again on the same files. */
  restart(options?: { maxFileStore?: string }): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
  close(): Promise<void>
}

/** @param folder where it keeps everything @param maxFileStore as nats-server reads sizes, such as `24MB` */
export async function startOwnNats(folder: string, maxFileStore: string): Promise<OwnNats> {
  const cacheDir = process.env.SLUICE_CACHE ?? join(homedir(), '.cache', 'sluiceway')
  const log = (line: string): void => void process.stderr.write(`${line}\n`)
  const binary = await findNatsServer({ explicit: process.env.SLUICE_NATS_SERVER, cacheDir, log })
  const port = await freePort()
  let server: ChildProcess | null = null
  const start = async (limit: string): Promise<void> => {
    const file = join(folder, 'nats.conf')
    const store = `jetstream { store_dir: ${JSON.stringify(join(folder, 'js'))}, max_file_store: ${limit} }`
    await writeFile(file, `listen: "127.0.0.1:${port}"\nmax_payload: 10MB\n${store}\n`)
    server = spawn(binary, ['-c', file], { stdio: 'ignore' })
  }
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    if (server === null || server.exitCode !== null || server.signalCode !== null) return
    server.kill(signal)
    await once(server, 'exit')
  }
  await start(maxFileStore)
  return {
    url: `nats://127.0.0.1:${port}`,
    async restart(options = {}) {
      await stop()
      await start(options.maxFileStore ?? maxFileStore)
    },
    kill: () => stop('SIGKILL'),
    close: () => stop(),
  }
}
