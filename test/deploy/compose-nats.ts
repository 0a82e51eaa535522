import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { findNatsServer } from '../../runtime/embedded/nats-binary.ts'
import { eventually } from '../support/eventually.ts'
import { compose, withDefaults } from './compose-file.ts'

interface ComposeNats {
  readonly url: string
  /** Base URL of its monitoring port. */
  readonly monitoring: string
  readonly folder: string
  stop(): Promise<void>
}

/** Runs the NATS server of compose.yaml: its configuration, but for free ports and a folder of the test's. */
export async function startComposeNats(): Promise<ComposeNats> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-compose-nats-'))
  const log = (line: string): void => void process.stderr.write(`${line}\n`)
  const binary = await findNatsServer({ cacheDir: join(homedir(), '.cache', 'sluiceway'), log })
  const file = join(folder, 'nats.conf')
  const content = withDefaults(compose.configs.nats?.content ?? '')
  await writeFile(file, content.replace(/port: \d+/g, 'port: -1').replace('/data', join(folder, 'data')))
  const server = spawn(binary, ['--config', file, '--ports_file_dir', folder], { stdio: 'ignore' })
  const stop = async (): Promise<void> => {
    if (server.exitCode === null && server.kill('SIGTERM')) await once(server, 'exit')
    await rm(folder, { recursive: true, force: true })
  }
  try {
    return { ...(await eventually('nats-server writes its ports', () => portsIn(folder))), folder, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function portsIn(folder: string): Promise<{ url: string; monitoring: string } | false> {
  const file = (await readdir(folder)).find((name) => name.endsWith('.ports'))
  if (!file) return false
  const ports = JSON.parse(await readFile(join(folder, file), 'utf8')) as { nats: string[]; monitoring: string[] }
  const local = ([first = '']: string[]): string => `127.0.0.1:${new URL(first).port}`
  return { url: `nats://${local(ports.nats)}`, monitoring: `http://${local(ports.monitoring)}` }
}
