import { resolve } from 'node:path'
import type { Command } from 'commander'
import { readDevState } from '../embedded/folder.ts'
import { dataOf } from '../client/answer.ts'
import type { Engine } from '../client/engine.ts'
import type { Worker } from '../client/openapi.d.ts'
import { NotFound, textOf } from '../errors.ts'
import { resolveOptions } from '../options.ts'
import { connectQueues, oldestNats, smallestMaxPayload } from '../queue/connection.ts'
import type { Connection } from '../queue/connection.ts'
import { conditionOf } from '../store/condition.ts'
import { silentLog } from '../telemetry/log.ts'
import { findEngine } from './client/find.ts'
import { addOptions } from './define.ts'

/** What was looked at: how it is, or what is wrong with it and what to do. */
interface Finding {
  readonly part: string
  readonly state: 'ok' | 'wrong' | 'not checked'
  readonly text: string
}

/** A part that was reached, and its clock less ours; null when it doesn't tell. */
interface Reached {
  readonly findings: readonly Finding[]
  readonly clockAheadMs: number | null
}

const oldestNode = [20, 19] as const
const skewMaxMs = 1_000
const natsTimeoutMs = 3_000

export function define(command: Command): void {
  command.action(async (flags: Record<string, unknown>) => {
    const findings = await examine(flags)
    for (const { part, state, text } of findings) console.log(`${state.padEnd(11)}  ${part.padEnd(8)}  ${text}`)
    if (findings.some(({ state }) => state === 'wrong')) process.exitCode = 1
  })
  addOptions(command, 'doctor')
}

async function examine(flags: Readonly<Record<string, unknown>>): Promise<Finding[]> {
  const options = resolveOptions('doctor', { flags })
  const dev = options.url === undefined ? readDevState(resolve(options.data)) : null
  const natsUrl = options.natsUrl ?? dev?.natsUrl
  const postgresUrl = options.postgresUrl ?? dev?.postgresUrl
  const [nats, postgres, engine] = await Promise.all([
    natsUrl === undefined ? unknown('nats', '--nats-url (SLUICE_NATS_URL)') : reached('nats', examineNats(natsUrl)),
    postgresUrl === undefined
      ? unknown('postgres', '--postgres-url (SLUICE_POSTGRES_URL)')
      : reached('postgres', examinePostgres(postgresUrl)),
    examineEngine(flags),
  ])
  return [examineNode(), ...nats.findings, ...postgres.findings, ...examineClocks(nats, postgres), ...engine]
}

function examineNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const isEnough = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])
  const text = `Node ${process.versions.node}`
  if (isEnough) return { part: 'node', state: 'ok', text }
  return { part: 'node', state: 'wrong', text: `${text}; ${oldestNode.join('.')} or newer is needed: upgrade it` }
}

function unknown(part: string, option: string): Reached {
  return { findings: [{ part, state: 'not checked', text: `say where it is with ${option}` }], clockAheadMs: null }
}

async function reached(part: string, work: Promise<Reached>): Promise<Reached> {
  try {
    return await work
  } catch (error) {
    return { findings: [{ part, state: 'wrong', text: textOf(error) }], clockAheadMs: null }
  }
}

/** Connecting refuses a server that is too old or has too small a max_payload, with both figures. */
async function examineNats(url: string): Promise<Reached> {
  const connection = await connectQueues({ url, name: 'sluice doctor', timeoutMs: natsTimeoutMs, log: silentLog })
  try {
    const { version, max_payload: maxPayload } = connection.nc.info ?? {}
    const text = `version ${version ?? '?'} (at least ${oldestNats}), max_payload ${maxPayload ?? '?'} (at least ${smallestMaxPayload}), JetStream answers`
    return { findings: [{ part: 'nats', state: 'ok', text }], clockAheadMs: await natsClockAhead(connection) }
  } finally {
    await connection.close()
  }
}

/** NATS tells its time with a stream's state; null when there is no stream yet. */
async function natsClockAhead({ jsm }: Connection): Promise<number | null> {
  const asked = Date.now()
  const [stream] = await jsm.streams.list().next()
  const here = (asked + Date.now()) / 2
  return stream?.ts === undefined ? null : Math.round(Date.parse(stream.ts) - here)
}

async function examinePostgres(url: string): Promise<Reached> {
  const { version, pending, clockAheadMs } = await conditionOf(url)
  const finding: Finding =
    pending.length === 0
      ? { part: 'postgres', state: 'ok', text: `version ${version}, all migrations are there` }
      : { part: 'postgres', state: 'wrong', text: `it lacks ${pending.join(', ')}: run \`sluice migrate\`` }
  return { findings: [finding], clockAheadMs }
}

/** Limits and schedules go by NATS' clock, what people see by Postgres' and ours. */
function examineClocks(nats: Reached, postgres: Reached): Finding[] {
  const known = Object.entries({ nats: nats.clockAheadMs, postgres: postgres.clockAheadMs }).filter(
    (entry): entry is [string, number] => entry[1] !== null,
  )
  if (known.length === 0) return []
  const all = [0, ...known.map(([, ms]) => ms)]
  const skewMs = Math.max(...all) - Math.min(...all)
  const text = known.map(([part, ms]) => `${part} is ${Math.abs(ms)} ms ${ms < 0 ? 'behind' : 'ahead of'} this machine`)
  if (skewMs <= skewMaxMs) return [{ part: 'clocks', state: 'ok', text: text.join(', ') }]
  return [{ part: 'clocks', state: 'wrong', text: `${text.join(', ')}: set the clocks by NTP` }]
}

async function examineEngine(flags: Readonly<Record<string, unknown>>): Promise<Finding[]> {
  const part = 'engine'
  try {
    const engine = findEngine(flags)
    const { version, nats, postgres, bridges } = await dataOf(engine.GET('/api/status'))
    const wrong = [nats, postgres].flatMap(({ connected, detail }) => (connected ? [] : [detail ?? 'a part is away']))
    if (bridges.length === 0) wrong.push('no bridge is alive: start one with `sluice bridge`')
    if (wrong.length > 0) return wrong.map((text) => ({ part, state: 'wrong', text: `${engine.url}: ${text}` }))
    const text = `version ${version} at ${engine.url}, bridges: ${bridges.length}`
    return [{ part, state: 'ok', text }, ...(await examineWorkers(engine))]
  } catch (error) {
    const hint = error instanceof NotFound ? ': check --url (SLUICE_URL)' : ''
    return [{ part, state: 'wrong', text: textOf(error) + hint }]
  }
}

const held = ['open', 'probing']
const called = ['closed', 'ramping']
const isAny = (instances: Worker['instances'], wanted: readonly string[]) =>
  instances.some(({ state }) => wanted.includes(state))

/** Each worker that no instance takes calls of; a bridge that has not asked one yet doesn't know. */
async function examineWorkers(engine: Engine): Promise<Finding[]> {
  const part = 'workers'
  const workers = await engine.list('/api/workers')
  const down = workers
    .filter(({ instances: all }) => isAny(all, held) && !isAny(all, called))
    .map(({ name, urls }) => `${name} is down at ${urls.join(', ')}: start it`)
  const ignored = workers.flatMap(({ name, manifestFaults }) =>
    manifestFaults.map(({ path, message }) => `the manifest of ${name}: ${path} is ignored: ${message}`),
  )
  const wrong = [...down, ...ignored]
  if (wrong.length > 0) return wrong.map((text) => ({ part, state: 'wrong', text }))
  return [{ part, state: 'ok', text: `${workers.length} registered, none is down` }]
}
