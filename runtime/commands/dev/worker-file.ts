import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, extname, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Invalid, Unavailable, textOf } from '../../errors.ts'
import type { Stack } from '../stack.ts'

/** A worker file that is served by a process of its own. */
export interface WorkerFile {
  /** As its manifest says, else as the file is called. */
  readonly name: string
  readonly url: string
}

interface Options {
  readonly file: string
  /** Gets what the worker prints, line by line. */
  readonly say: (line: string) => void
  /** Called with its new address when it has ended by itself and was started again. */
  readonly moved: (worker: WorkerFile) => Promise<void>
}

/** What serve-worker.ts puts before its address. */
export const servingPrefix = 'sluice worker at '

const graceMs = 3_000
const restartMs = 1_000

interface Running {
  readonly process: ChildProcess
  readonly worker: WorkerFile
}

/** Starts a worker file, and starts it again when it ends. Throws when it doesn't start the first time. */
export async function ownWorkerFile(stack: Stack, options: Options): Promise<WorkerFile> {
  const path = resolve(options.file)
  if (!existsSync(path)) throw new Invalid(`--worker: there is no file ${path}`)
  const ending = new AbortController()
  const { worker } = await stack.own(
    async () => {
      const running = await launch(path, options.say)
      return { ...running, supervision: supervise(running, path, options, ending.signal) }
    },
    async ({ supervision }) => {
      ending.abort()
      await supervision
    },
  )
  return worker
}

/** Starts the file again whenever its process ends by itself; ends the process when the signal aborts. */
async function supervise(first: Running, path: string, { say, moved }: Options, signal: AbortSignal): Promise<void> {
  let child = first.process
  try {
    for (;;) {
      if (!hasEnded(child)) await once(child, 'exit', { signal })
      say(`${path} has ended; starting it again`)
      await delay(restartMs, null, { signal })
      const next = await launch(path, say).catch((error: unknown) => void say(textOf(error)))
      if (!next) continue
      child = next.process
      await moved(next.worker).catch((error: unknown) => say(textOf(error)))
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    await end(child)
  }
}

async function launch(path: string, say: (line: string) => void): Promise<Running> {
  const script = fileURLToPath(new URL(`serve-worker${extname(import.meta.url)}`, import.meta.url))
  const args = [...loadersFor(path), script, path]
  // In a process group of its own: a signal to ours is for the engine, which ends its workers after the bridge.
  const child = spawn(process.execPath, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
  // The pipe is a leash: an error on it means that the child has ended, which its exit reports.
  child.stdin.on('error', () => {})
  createInterface({ input: child.stderr }).on('line', say)
  try {
    const url = await addressOf(child, say)
    return { process: child, worker: { name: await nameOf(url, path), url } }
  } catch (error) {
    await end(child)
    throw new Unavailable('worker', `the worker ${path} didn't start (${textOf(error)}): see its messages above`, {
      cause: error,
    })
  }
}

/** The address that the child prints when it serves; its other lines are the worker's own. */
function addressOf(child: ChildProcess, say: (line: string) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) return reject(new Error('it has no output'))
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith(servingPrefix)) resolve(line.slice(servingPrefix.length))
      else say(line)
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`it ended with ${signal ?? `exit code ${code}`}`)))
  })
}

/** What Node needs to run us and the file: tsx for TypeScript, ours in a checkout, else the one of the file's project. */
function loadersFor(path: string): string[] {
  const isSource = import.meta.url.endsWith('.ts')
  const conditions = isSource ? ['--conditions=source'] : []
  if (isSource) return ['--import', import.meta.resolve('tsx'), ...conditions]
  if (!/\.[cm]?ts$/.test(path)) return []
  try {
    return ['--import', pathToFileURL(createRequire(path).resolve('tsx')).href]
  } catch (error) {
    throw new Invalid(`${path} is TypeScript: add tsx to its project (npm install --save-dev tsx)`, [], {
      cause: error,
    })
  }
}

async function nameOf(url: string, path: string): Promise<string> {
  const fallback = basename(path, extname(path))
  const response = await fetch(`${url}/.well-known/sluice-worker`)
  if (!response.ok) return fallback
  const { worker } = (await response.json().catch(() => ({}))) as { worker?: unknown }
  return typeof worker === 'string' ? worker : fallback
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.stdin?.end()
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  await ended
  clearTimeout(timer)
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}
