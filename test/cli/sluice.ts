import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { eventually } from '../support/eventually.ts'

/** How a command ended, and what it said. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface Options {
  readonly env?: Readonly<Record<string, string>>
  /** What the command reads on stdin. */
  readonly input?: string
}

const main = resolve('runtime/main.ts')

/** Nothing of this process' options reaches the command, but where programs are. */
function environment(env: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { PATH, HOME, SLUICE_CACHE, SLUICE_NATS_SERVER } = process.env
  return { PATH, HOME, SLUICE_CACHE, SLUICE_NATS_SERVER, SLUICE_DATA: join(tmpdir(), 'no-such-sluice-folder'), ...env }
}

/** Starts the real command line; it goes on until it ends or is ended. */
export function spawnSluice(args: readonly string[], { env }: Options = {}): ChildProcess {
  const node = ['--import', 'tsx', '--conditions=source', main]
  return spawn(process.execPath, [...node, ...args], { env: environment(env), stdio: ['pipe', 'pipe', 'pipe'] })
}

/** Runs the real command line to its end. */
export async function sluice(args: readonly string[], options: Options = {}): Promise<Ended> {
  const child = spawnSluice(args, options)
  const said = { stdout: '', stderr: '' }
  child.stdout?.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()))
  child.stdin?.end(options.input ?? '')
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...said }
}

/** A `sluice dev` that serves. */
export interface Dev {
  readonly child: ChildProcess
  readonly url: string
  readonly token: string
  /** What it has printed so far. */
  readonly lines: readonly string[]
  /** Ends it by SIGTERM; resolves with its exit code. */
  stop(): Promise<number | null>
}

/** Starts `sluice dev` on a free port, and waits until it serves. */
export async function startDev(args: readonly string[], options: Options = {}): Promise<Dev> {
  const child = spawnSluice(['dev', '--port', '0', ...args], options)
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr])
    if (stream) createInterface({ input: stream }).on('line', (line) => lines.push(line))
  await eventually(
    'dev serves',
    () => {
      if (child.exitCode !== null) throw new Error(lines.join('\n'))
      return lines.some((line) => line.startsWith('Serving until ^C'))
    },
    { timeoutMs: 40_000 },
  )
  const value = (name: string): string => new RegExp(`^  ${name} +(\\S+)`, 'm').exec(lines.join('\n'))?.[1] ?? ''
  return {
    child,
    url: new URL(value('api')).origin,
    token: value('token'),
    lines,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const [code] = (await ended) as [number | null]
      return code
    },
  }
}

/** A folder that is removed by the returned function. */
export function temporaryFolder(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
