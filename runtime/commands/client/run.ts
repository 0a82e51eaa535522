import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { NotFound, Unavailable } from '../../errors.ts'
import { addOptions } from '../define.ts'
import { segment } from '../../client/engine.ts'
import { findEngine } from './find.ts'
import type { Engine } from '../../client/engine.ts'
import { jsonOfFlag } from '../terminal/input.ts'
import { grouped } from '../terminal/print.ts'
import type { Run } from '../../client/shapes.ts'

interface Flags {
  readonly url?: string
  readonly token?: string
  /** Here the body of the start message, not the data folder. */
  readonly data?: string
  readonly key?: string
  readonly tenant?: string
  readonly follow?: boolean
}

const pollMs = 500
/** A run appears when the recorder has read its start message. */
const appearMs = 30_000

export function define(command: Command): void {
  command
    .argument('<topology>', 'name or id')
    .argument('[node]', 'name or id of the start node, if there are several')
    .option('--data <json>', 'body of the start message: JSON, @file, or - for stdin')
    .option('--key <key>', 'equal keys start one run only')
    .option('--tenant <tenant>', 'on whose behalf')
    .option('--follow', 'wait until the run has ended; exit code 1 unless it finished well')
    .action(start)
  addOptions(command, 'client', ['data'])
}

async function start(topology: string, node: string | undefined, { url, token, ...flags }: Flags): Promise<void> {
  const { data, key, tenant, follow } = flags
  const body = data === undefined ? undefined : jsonOfFlag('--data', data)
  const engine = findEngine({ url, token })
  const started = await startRun(engine, topology, { node, body, key, tenant })
  console.log(started)
  if (follow === true && (await followRun(engine, started)).state !== 'finished') process.exitCode = 1
}

/** Starts a run and returns its id. */
export async function startRun(engine: Engine, topology: string, start: object): Promise<string> {
  const path = `/api/topologies/${segment(topology)}/run`
  return (await engine.send<{ runId: string }>('POST', path, { body: start })).body.runId
}

/** Prints the run's counts when they change, until it has ended. */
async function followRun(engine: Engine, id: string): Promise<Run> {
  let printed = ''
  for (;;) {
    const run = await appeared(engine, id)
    const line = lineOf(run)
    if (line !== printed) console.log(line)
    printed = line
    if (run.state !== 'running') return run
    await delay(pollMs)
  }
}

/** The run; waits for one that was accepted just now and isn't listed yet. */
export async function appeared(engine: Engine, id: string, signal?: AbortSignal): Promise<Run> {
  const deadline = performance.now() + appearMs
  for (;;) {
    try {
      return await engine.get<Run>(`/api/runs/${segment(id)}`)
    } catch (error) {
      if (!(error instanceof NotFound)) throw error
      if (performance.now() > deadline)
        throw new Unavailable('recorder', `run ${id} was accepted and doesn't appear: look at \`sluice doctor\``, {
          cause: error,
        })
    }
    await delay(100, null, { signal })
  }
}

function lineOf({ state, messages }: Run): string {
  return `${state}: ${messagesText(messages)}`
}

/** What became of a run's messages; those that were discarded or cancelled only if there are any. */
export function messagesText({ total, done, failed, discarded, cancelled, inProgress }: Run['messages']): string {
  const rare = Object.entries({ discarded, cancelled }).filter(([, count]) => count > 0)
  const others = rare.map(([what, count]) => `, ${grouped(count)} ${what}`).join('')
  return `${grouped(done)} of ${grouped(total)} done, ${grouped(failed)} failed${others}, ${grouped(inProgress)} in progress`
}
