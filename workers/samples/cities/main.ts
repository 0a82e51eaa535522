/**
 * The processes of the sample, one role each: `systems` (the source system and the enrichment API) and `worker`. Prints one
 * line of JSON with its addresses when it is ready, and ends on SIGTERM, or with `--leash` when its stdin ends.
 */
import { nodeFetch, serve } from '@sluiceway/worker/node'
import { parseArgs } from 'node:util'
import { startEnrichment } from './systems/enrichment.ts'
import { seedDefault } from './systems/faults.ts'
import { startSource } from './systems/source.ts'
import { openPlaces } from './systems/table.ts'
import { citiesWorker } from './worker.ts'

const usage = `usage: main.ts systems [--scale N] [--places N] [--seed N] [--source-port N] [--enrichment-port N] [--leash]
       main.ts worker [--host ADDRESS] [--port N] [--leash]   (CITIES_SOURCE_URL, CITIES_ENRICHMENT_URL, CITIES_POSTGRES_URL)`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    scale: { type: 'string', default: '1' },
    places: { type: 'string' },
    seed: { type: 'string', default: String(seedDefault) },
    'source-port': { type: 'string', default: '0' },
    'enrichment-port': { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    leash: { type: 'boolean', default: false },
  },
})

interface Role {
  /** What is printed when the role is ready. */
  readonly ready: Readonly<Record<string, string>>
  close(): Promise<unknown>
}

function number(name: 'scale' | 'places' | 'seed' | 'source-port' | 'enrichment-port' | 'port'): number {
  const number = Number(values[name])
  if (Number.isInteger(number) && number >= 0) return number
  throw new Error(`--${name} is ${values[name] ?? ''}, but must be a whole number`)
}

function fromEnvironment(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') throw new Error(`${name} is not set: the worker needs it`)
  return value
}

async function systems(): Promise<Role> {
  const source = await startSource({
    port: number('source-port'),
    scale: number('scale'),
    places: values.places === undefined ? undefined : number('places'),
    seed: number('seed'),
  })
  const enrichment = await startEnrichment({ port: number('enrichment-port') })
  return {
    ready: { source: source.url, enrichment: enrichment.url },
    close: () => Promise.all([source.close(), enrichment.close()]),
  }
}

async function worker(): Promise<Role> {
  const [sourceUrl, enrichmentUrl] = [fromEnvironment('CITIES_SOURCE_URL'), fromEnvironment('CITIES_ENRICHMENT_URL')]
  const places = await openPlaces(fromEnvironment('CITIES_POSTGRES_URL'))
  const secret = process.env['CITIES_SECRET'] || undefined
  const handler = citiesWorker({ sourceUrl, enrichmentUrl, places, secret, fetch: nodeFetch })
  const serving = await serve(handler, { port: number('port') })
  return { ready: { worker: serving.url }, close: () => serving.close(1000).then(() => places.close()) }
}

/** Ends the process in order, once, when it is told to or when its parent is gone. */
function endWith(role: Role): void {
  let ending: Promise<void> | undefined
  const end = () => (ending ??= role.close().then(() => process.exit(0)))
  process.once('SIGTERM', () => void end())
  if (!values.leash) return
  // ^C in a terminal reaches us too, but the one who holds the leash decides when we end.
  process.on('SIGINT', () => {})
  process.stdin.resume().once('end', () => void end())
}

try {
  const start = { systems, worker }[positionals[0] ?? '']
  if (start === undefined) throw new Error(usage)
  const role = await start()
  endWith(role)
  console.log(JSON.stringify(role.ready))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
