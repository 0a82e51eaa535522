/** The sample `cities`: its processes, its run, and what came of it. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { startCitiesSample, citiesTopologyFile } from '../../../workers/samples/cities/sample.ts'
export type { CitiesSample } from '../../../workers/samples/cities/sample.ts'
import type { CitiesSample } from '../../../workers/samples/cities/sample.ts'
import type { Engine } from '../../client/engine.ts'
import { readIfThere, writeSecret } from '../../embedded/folder.ts'
import { Invalid } from '../../errors.ts'
import type { Log } from '../../telemetry/log.ts'
import { parseDocument } from '../../topology/document.ts'
import { applyTopology } from '../client/files/apply.ts'
import { startRun } from '../client/run.ts'
import { registerWorker } from '../client/worker.ts'
import type { Stack } from '../stack.ts'
import type { Ground } from './engine.ts'

const assignmentSchema = z.object({
  /** Makes one run of any number of starts. */
  key: z.string(),
  /** Copies of the data. */
  scale: z.number(),
  /** Only so many places of each copy; null for all. */
  places: z.number().nullable(),
  ended: z.boolean(),
})

/** What the sample is to do. Kept in the data folder, so that an interrupted run is finished by the next start. */
export type Assignment = z.infer<typeof assignmentSchema>

const assignmentFile = (folder: string): string => join(folder, 'sample.json')

/** The unfinished assignment of the last start, else a new one. */
export function takeAssignment(
  folder: string,
  scale: number,
  places: number | null,
): { readonly assignment: Assignment; readonly isNew: boolean } {
  const last = readAssignment(folder)
  if (last && !last.ended) return { assignment: last, isNew: false }
  const assignment = { key: randomUUID(), scale, places, ended: false }
  keepAssignment(folder, assignment)
  return { assignment, isNew: true }
}

export function keepAssignment(folder: string, assignment: Assignment): void {
  writeSecret(assignmentFile(folder), `${JSON.stringify(assignment)}\n`)
}

/** Null when there is none, or when a person edited it to something else. */
function readAssignment(folder: string): Assignment | null {
  const text = readIfThere(assignmentFile(folder))
  if (text === null) return null
  try {
    return assignmentSchema.parse(JSON.parse(text))
  } catch {
    return null
  }
}

/** Starts the source system and the worker, with a database of their own beside the engine's. */
export async function ownSample(stack: Stack, ground: Ground, wanted: Assignment, log: Log): Promise<CitiesSample> {
  const postgresUrl = await ground.embedded.postgres.createDatabase('cities')
  const { scale, places } = wanted
  const slice = places === null ? {} : { places }
  const say = (line: string) => {
    console.log(line)
    log.info(line)
  }
  return stack.own(
    () => startCitiesSample({ postgresUrl, scale, ...slice, log: (line) => log.info(line), say }),
    (sample) => sample.stop(),
  )
}

/** Registers the worker, publishes the topology and starts the run: by the API, as a user does. Returns the run's id. */
export async function beginRun(engine: Engine, sample: CitiesSample, { key }: Assignment): Promise<string> {
  await registerWorker(engine, { name: 'cities', urls: [sample.workerUrl] })
  const { document, faults } = parseDocument(readFileSync(citiesTopologyFile, 'utf8'), citiesTopologyFile)
  if (!document) throw new Invalid(`${citiesTopologyFile} is wrong`, faults)
  await applyTopology(engine, document)
  return startRun(engine, document.name, { key })
}

/** How many places the source system has. */
export async function sourceSize({ sourceUrl }: CitiesSample): Promise<number> {
  const response = await fetch(`${sourceUrl}/stats`)
  return ((await response.json()) as { places: number }).places
}
