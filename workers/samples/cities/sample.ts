import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { countCities, type Counts } from './count.ts'
import type { SourceStats } from './source.ts'

export interface SampleOptions {
  /** Database of the table `places`. */
  readonly postgresUrl: string
  /** How many copies of the data, each with ids of its own; default 1. */
  readonly scale?: number
  /** Only the first so many places of each copy; all without it. */
  readonly places?: number
  /** Decides which pages of the source fail and how; default 1. */
  readonly seed?: number
  /** Shared with the engine, if calls are to be signed. */
  readonly secret?: string
  /** Gets what the processes print, line by line. */
  readonly log: (line: string) => void
}

export type Faults = SourceStats['faults']

/** The sample's systems and worker, each a process of its own. */
export interface CitiesSample {
  /** Where the worker `cities` can be called. */
  readonly workerUrl: string
  readonly sourceUrl: string
  readonly enrichmentUrl: string
  /** Ids of the two processes. */
  readonly pids: readonly number[]
  /** Counts source and table afresh; `run` counts only what that run has written. */
  counts(run?: string): Promise<Counts>
  /** How often the source has failed so far, by kind. */
  faults(): Promise<Faults>
  /** Ends both processes and waits for them. Twice is harmless. */
  stop(): Promise<void>
}

/** The document of the topology `cities`. */
export const citiesTopologyFile: string = fileURLToPath(new URL('topology.yaml', import.meta.url))

const graceMs = 3000

/** Starts the sample. Its processes end with `stop()`, or when this process is gone, however it went. */
export async function startCitiesSample(options: SampleOptions): Promise<CitiesSample> {
  const { postgresUrl, scale = 1, places, seed = 1, secret, log } = options
  const running: ChildProcess[] = []
  const stop = async () => {
    await Promise.all(running.map(end))
  }
  try {
    const slice = places === undefined ? [] : ['--places', String(places)]
    const systems = start(['systems', '--scale', String(scale), '--seed', String(seed), ...slice], {}, log)
    running.push(systems)
    const { source: sourceUrl, enrichment: enrichmentUrl } = await ready(systems, 'systems', ['source', 'enrichment'])
    const worker = start(['worker'], environment(sourceUrl, enrichmentUrl, postgresUrl, secret), log)
    running.push(worker)
    const { worker: workerUrl } = await ready(worker, 'worker', ['worker'])
    const counts = (run?: string) => countCities({ sourceUrl, postgresUrl, run })
    const pids = running.flatMap(({ pid }) => pid ?? [])
    return { workerUrl, sourceUrl, enrichmentUrl, pids, counts, faults: () => readFaults(sourceUrl), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function environment(source: string, enrichment: string, postgres: string, secret = ''): Record<string, string> {
  return {
    CITIES_SOURCE_URL: source,
    CITIES_ENRICHMENT_URL: enrichment,
    CITIES_POSTGRES_URL: postgres,
    CITIES_SECRET: secret,
  }
}

/** Starts main.ts as it lies here: the source itself in a checkout, compiled in a package. */
function start(args: readonly string[], env: Record<string, string>, log: (line: string) => void): ChildProcess {
  const isSource = import.meta.url.endsWith('.ts')
  const loaders = isSource ? ['--import', import.meta.resolve('tsx'), '--conditions=source'] : []
  const main = fileURLToPath(new URL(isSource ? 'main.ts' : 'main.js', import.meta.url))
  const child = spawn(process.execPath, [...loaders, main, ...args, '--leash'], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  createInterface({ input: child.stderr }).on('line', (line) => log(`cities ${args[0] ?? ''}: ${line}`))
  // Writing nothing, but a pipe to a process that has ended may still report an error.
  child.stdin.on('error', () => {})
  return child
}

/** The addresses in the first line that the child prints; throws when it ends without one. */
async function ready<Name extends string>(child: ChildProcess, role: string, names: readonly Name[]) {
  const output = child.stdout
  if (output === null) throw new Error(`the sample's ${role} has no output`)
  const lines = createInterface({ input: output })
  const [line] = (await Promise.race([once(lines, 'line'), once(lines, 'close').then(() => [''])])) as [string]
  if (line === '') throw new Error(`the sample's ${role} did not start: see its messages in the log`)
  output.resume()
  const addresses = JSON.parse(line) as Record<string, string>
  return Object.fromEntries(names.map((name) => [name, addresses[name] ?? ''])) as Record<Name, string>
}

async function readFaults(sourceUrl: string): Promise<Faults> {
  const response = await fetch(`${sourceUrl}/stats`)
  return ((await response.json()) as SourceStats).faults
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.stdin?.end()
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  await ended
  clearTimeout(timer)
}
