import { fileURLToPath } from 'node:url'
import { countCities, type Counts } from './count.ts'
import { keepProcess, type KeptProcess } from './kept-process.ts'
import { seedDefault } from './systems/faults.ts'
import type { SourceStats } from './systems/source.ts'

export interface SampleOptions {
  /** Database of the table `places`. */
  readonly postgresUrl: string
  /** How many copies of the data, each with ids of its own; default 1. */
  readonly scale?: number
  /** Only the first so many places of each copy; all without it. */
  readonly places?: number
  /** Decides which pages of the source fail and how; default `seedDefault`. */
  readonly seed?: number
  /** Shared with the engine, if calls are to be signed. */
  readonly secret?: string
  /** Gets what the processes print, line by line. */
  readonly log: (line: string) => void
  /** Gets what a person should know, such as a process that was started again; `log` without it. */
  readonly say?: (line: string) => void
}

export type Faults = SourceStats['faults']

/** The sample's systems and worker, each a process of its own; one that ends by itself is started again at its address. */
export interface CitiesSample {
  /** Where the worker `cities` can be called. */
  readonly workerUrl: string
  readonly sourceUrl: string
  readonly enrichmentUrl: string
  /** Ids of the two processes, as they run now. */
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

/** Starts the sample. Its processes end with `stop()`, or when this process is gone, however it went. */
export async function startCitiesSample(options: SampleOptions): Promise<CitiesSample> {
  const { postgresUrl, scale = 1, places, seed = seedDefault, secret, log, say = log } = options
  const running: KeptProcess<string>[] = []
  const stop = async () => {
    await Promise.all(running.map((kept) => kept.stop()))
  }
  try {
    const slice = places === undefined ? [] : ['--places', String(places)]
    const args = ['--scale', String(scale), '--seed', String(seed), ...slice]
    const systemsPorts = { source: '--source-port', enrichment: '--enrichment-port' }
    const systems = await keepProcess({ role: 'systems', args, ports: systemsPorts, log, say })
    running.push(systems)
    const { source: sourceUrl, enrichment: enrichmentUrl } = systems.addresses
    const env = environment(sourceUrl, enrichmentUrl, postgresUrl, secret)
    const worker = await keepProcess({ role: 'worker', env, ports: { worker: '--port' }, log, say })
    running.push(worker)
    return {
      workerUrl: worker.addresses.worker,
      sourceUrl,
      enrichmentUrl,
      get pids() {
        return running.flatMap((kept) => kept.pid() ?? [])
      },
      counts: (run?: string) => countCities({ sourceUrl, postgresUrl, run }),
      faults: () => readFaults(sourceUrl),
      stop,
    }
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

async function readFaults(sourceUrl: string): Promise<Faults> {
  const response = await fetch(`${sourceUrl}/stats`)
  return ((await response.json()) as SourceStats).faults
}
