import { renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { makeDataFolder } from '../embedded/folder.ts'
import { Invalid, Unavailable, textOf } from '../errors.ts'
import { isNpmStart, resolveOptions } from '../options.ts'
import { createLog } from '../telemetry/log.ts'
import type { Log } from '../telemetry/log.ts'
import { applyTopology } from './client/files/apply.ts'
import { readTopologies } from './client/files/documents.ts'
import type { Found } from './client/files/documents.ts'
import { registerWorker } from './client/worker.ts'
import { addOptions, examples, gather, wholeNumber } from './define.ts'
import { bootLines, openDevEngine, openGround } from './dev/engine.ts'
import type { DevOptions, Ground } from './dev/engine.ts'
import type { CitiesSample, Assignment } from './dev/sample.ts'
import { endWithParent } from './dev/parent.ts'
import { ownWorkerFile } from './dev/worker-file.ts'
import type { WorkerFile } from './dev/worker-file.ts'
import { withStack } from './stack.ts'
import type { Stack } from './stack.ts'

interface Flags extends Record<string, unknown> {
  readonly sample: boolean
  readonly once?: boolean
  readonly scale?: number
  readonly places?: number
  readonly worker?: readonly string[]
  readonly apply?: readonly string[]
}

const scaleMax = 1_000
const logMaxBytes = 10 * 1024 * 1024

export function define(command: Command): void {
  command
    .option('--no-sample', 'without the sample')
    .option('--once', 'end when the run of the sample has ended, with one line of JSON')
    .option('--scale <n>', 'the data of the sample n times, with distinct ids', wholeNumber('--scale', 1, scaleMax))
    .option('--places <n>', 'only so many places of each copy of the data', wholeNumber('--places', 1, 1_000_000))
    .option('--worker <file>', 'serve this worker file too, and register it', gather)
    .option('--apply <file>', 'apply and publish the topologies of this file or folder', gather)
    .action(dev)
  examples(addOptions(command, 'dev'), [
    ['sluice dev', 'the engine with everything it needs, and the sample'],
    ['sluice dev --no-sample --worker worker.mjs --apply topology.yaml', 'with a worker and a topology of your own'],
  ])
}

async function dev(flags: Flags): Promise<void> {
  const options = resolveOptions('dev', { flags })
  if (!flags.sample && (flags.once === true || flags.scale !== undefined))
    throw new Invalid('--once and --scale are about the sample, which --no-sample leaves out')
  const topologies = flags.apply === undefined ? [] : readTopologies(flags.apply)
  const folder = dataFolder(options.data)
  const log = createLog(options.logLevel, logFile(folder))
  const results: string[] = []
  const interrupted = await withStack(log, async (stack) => {
    if (isNpmStart()) endWithParent(stack)
    const { ground, sample, wanted } = await start(stack, { folder, options, flags, topologies, log })
    if (sample && wanted) {
      const { runSample } = await import('./dev/run-sample.ts')
      results.push(...(await runSample({ ground, sample, wanted, once: flags.once === true, signal: stack.signal })))
    }
    if (flags.once === true) return
    console.log(`Serving until ^C: ${ground.listening.url}`)
    await stack.stopping()
    console.log('Stopping')
  })
  if (flags.once !== true) return
  for (const line of results) console.log(line)
  if (interrupted) process.exitCode = 130
}

interface Starting {
  readonly folder: string
  readonly options: DevOptions
  readonly flags: Flags
  readonly topologies: readonly Found[]
  readonly log: Log
}

interface Started {
  readonly ground: Ground
  readonly sample: CitiesSample | null
  readonly wanted: Assignment | null
}

/** Opens everything; when it resolves, messages can flow. */
async function start(stack: Stack, { folder, options, flags, topologies, log }: Starting): Promise<Started> {
  const ground = await openGround(stack, folder, options, log)
  const wanted = flags.sample ? await assignment(folder, flags) : null
  const external = Promise.all([
    wanted ? sampleFor(stack, ground, wanted, log) : null,
    ...(flags.worker ?? []).map((file) => workerFor(stack, ground, file)),
  ])
  // What it throws is thrown where it is waited for.
  external.catch(() => undefined)
  await openDevEngine(stack, ground, options, log, external)
  const [sample, ...workers] = await external
  // Since this process began.
  for (const line of bootLines(ground, options, performance.now() / 1_000)) console.log(line)
  for (const { name, url } of workers) await registerWorker(ground.client, { name, urls: [url] })
  for (const { name, url } of workers) console.log(`  worker      ${name} at ${url}`)
  for (const { document } of topologies) {
    const done = await applyTopology(ground.client, document)
    console.log(`  topology    ${done}`)
  }
  return { ground, sample, wanted }
}

async function assignment(folder: string, { scale = 1, places }: Flags): Promise<Assignment> {
  const { takeAssignment } = await import('./dev/sample.ts')
  const { assignment, isNew } = takeAssignment(folder, scale, places ?? null)
  if (!isNew) console.log('An interrupted run is finished first, as large as it was begun')
  return assignment
}

async function sampleFor(stack: Stack, ground: Ground, wanted: Assignment, log: Log): Promise<CitiesSample> {
  const { ownSample } = await import('./dev/sample.ts')
  try {
    return await ownSample(stack, ground, wanted, log)
  } catch (error) {
    throw new Unavailable('sample', `${textOf(error)} (--no-sample starts without the sample)`, { cause: error })
  }
}

function workerFor(stack: Stack, { client }: Ground, file: string): Promise<WorkerFile> {
  const moved = async ({ name, url }: WorkerFile) => void (await registerWorker(client, { name, urls: [url] }))
  return ownWorkerFile(stack, { file, say: (line) => console.log(line), moved })
}

function dataFolder(path: string): string {
  try {
    return makeDataFolder(path)
  } catch (error) {
    const text = `the data folder ${path} can't be used (${textOf(error)}): choose another one with --data (SLUICE_DATA)`
    throw new Invalid(text, [], { cause: error })
  }
}

/** A start with a log over 10 MiB begins a new one and keeps one old one. */
function logFile(folder: string): string {
  const file = join(folder, 'logs', 'engine.log')
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > logMaxBytes) renameSync(file, `${file}.1`)
  return file
}
