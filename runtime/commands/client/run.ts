import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { dataOf } from '../../client/answer.ts'
import type { Engine } from '../../client/engine.ts'
import type { Accepted, Run, RunRequest } from '../../client/openapi.d.ts'
import { Invalid, NotFound, Unavailable } from '../../errors.ts'
import { addOptions, examples } from '../define.ts'
import { bytesOfFlag, jsonOfFlag } from '../terminal/input.ts'
import { grouped, plain } from '../terminal/print.ts'
import { openProgress } from '../terminal/progress.ts'
import { findEngine } from './find.ts'
import { queryOf, sendUpload, takenText, uploadOf, uploadTimeoutMs } from './upload/upload.ts'

interface Flags {
  readonly url?: string
  readonly token?: string
  /** Here the body of the start message, not the data folder. */
  readonly data?: string
  readonly contentType?: string
  readonly key?: string
  readonly tenant?: string
  readonly split?: string
  readonly reconcile?: boolean
  readonly follow?: boolean
  readonly force?: boolean
}

const pollMs = 500
/** A run appears when the recorder has read its start message. */
const appearMs = 30_000

export function define(command: Command): void {
  command
    .argument('<topology>', 'name or id')
    .argument('[node]', 'name or id of the start node, if there are several')
    .option('--data <json>', 'body of the start message: JSON, @file, or - for stdin')
    .option('--content-type <type>', 'the body is of this type, and sent byte by byte; needs NODE')
    .option(
      '--split <what>',
      'records: a message for each record of a JSON array, NDJSON or CSV file of any size; needs NODE',
    )
    .option('--key <key>', 'equal keys start one run only, and an upload that broke off goes on')
    .option('--tenant <tenant>', 'on whose behalf')
    .option('--force', 'begin although another run of the node is going on, whatever its overlap policy')
    .option('--reconcile', 'read everything again, whatever earlier runs have read')
    .option('--follow', 'wait until the run has ended; exit code 1 unless it finished well')
    .action(start)
  examples(addOptions(command, 'client', ['data']), [
    ['sluice run orders --follow', 'start it, and see how it goes'],
    [`sluice run orders begin --data '{"since": "2026-01-01"}' --key 2026-01-01`, 'once, however often it is called'],
    ['sluice run orders begin --data @orders.csv --content-type text/csv', 'a body that is no JSON'],
    ['sluice run orders begin --data @orders.csv --split records', 'a message for each row'],
  ])
}

async function start(topology: string, node: string | undefined, { url, token, ...flags }: Flags): Promise<void> {
  const send = startOf(topology, node, flags)
  const engine = findEngine({ url, token }, flags.split === undefined ? undefined : uploadTimeoutMs)
  const accepted = await send(engine)
  const { runId } = accepted
  console.log(runId)
  if (accepted.records !== undefined) console.error(takenText(accepted))
  if (flags.follow === true && (await followRun(engine, runId)).state !== 'finished') process.exitCode = 1
}

/** Reads what is to be sent before an engine is looked for: what is wrong with it is said first. */
function startOf(topology: string, node: string | undefined, flags: Flags): (engine: Engine) => Promise<Accepted> {
  const { data, contentType, key, tenant, split, force, reconcile = false } = flags
  if (split !== undefined) {
    const upload = uploadOf(topology, node, { ...flags, split })
    return (engine) => sendUpload(engine, upload)
  }
  if (contentType === undefined) {
    const body = data === undefined ? {} : { body: jsonOfFlag('--data', data) }
    return async (engine: Engine) => ({
      runId: await startRun(engine, topology, {
        ...(node && { node }),
        ...(key !== undefined && { key }),
        ...(tenant && { tenant }),
        ...(force && { force }),
        ...(reconcile && { reconcile }),
        ...body,
      }),
    })
  }
  if (node === undefined) throw new Invalid('--content-type needs the start node: sluice run TOPOLOGY NODE')
  const body = data === undefined ? new Uint8Array() : bytesOfFlag(data)
  return (engine: Engine) =>
    dataOf(
      engine.POST('/start/{topology}/{node}', {
        params: {
          path: { topology, node },
          query: queryOf({ tenant, force, reconcile }),
          header: { ...(key !== undefined && { 'idempotency-key': key }) },
        },
        headers: { 'content-type': contentType },
        body,
        bodySerializer: () => body,
      }),
    )
}

/** Starts a run and returns its id. */
export async function startRun(engine: Engine, topology: string, start: RunRequest): Promise<string> {
  const params = { path: { topology } }
  return (await dataOf(engine.POST('/api/topologies/{topology}/run', { params, body: start }))).runId
}

/** Shows the run's counts until it has ended: one line that is kept up to date on a terminal, else a line for each change. */
export async function followRun(engine: Engine, id: string): Promise<Run> {
  const progress = openProgress()
  for (;;) {
    const run = await appeared(engine, id)
    const isOver = run.state !== 'running'
    if (isOver) progress.end(lineOf(run))
    else progress.show(lineOf(run))
    if (isOver) return run
    await delay(pollMs)
  }
}

/** The run; waits for one that was accepted just now and isn't listed yet. */
export async function appeared(engine: Engine, id: string, signal?: AbortSignal): Promise<Run> {
  const deadline = performance.now() + appearMs
  for (;;) {
    try {
      return await dataOf(engine.GET('/api/runs/{id}', { params: { path: { id } } }))
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

function lineOf({ state, queued, cancelRequestedAt, messages, progress }: Run): string {
  if (queued) return 'queued behind other runs'
  const shown = state === 'running' && cancelRequestedAt !== null ? 'cancelling' : state
  const said = progress === null ? '' : ` (${plain(progress)})`
  return `${shown}: ${messagesText(messages)}${said}`
}

/** What became of a run's messages; those that were discarded or cancelled only if there are any. */
export function messagesText({ total, done, failed, discarded, cancelled, inProgress }: Run['messages']): string {
  const rare = Object.entries({ discarded, cancelled }).filter(([, count]) => count > 0)
  const others = rare.map(([what, count]) => `, ${grouped(count)} ${what}`).join('')
  return `${grouped(done)} of ${grouped(total)} done, ${grouped(failed)} failed${others}, ${grouped(inProgress)} in progress`
}
