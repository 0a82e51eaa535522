import { resolve } from 'node:path'
import type { Command } from 'commander'
import { readDevState } from '../embedded/folder.ts'
import { textOf } from '../errors.ts'
import { resolveOptions } from '../options.ts'
import { conditionOf, faultsOf } from '../store/condition.ts'
import { remedy } from '../store/trash/text-search.ts'
import { addOptions, examples } from './define.ts'
import { examineEngine } from './doctor/engine.ts'
import type { Finding, Reached } from './doctor/finding.ts'
import { examineNats } from './doctor/nats.ts'
import { addFormat, printData } from './terminal/print.ts'
import type { Format } from './terminal/print.ts'

const oldestNode = [20, 19] as const
const skewMaxMs = 1_000

export function define(command: Command): void {
  command.action(async (flags: Record<string, unknown> & { output: Format }) => {
    const findings = await examine(flags)
    if (flags.output === 'table')
      for (const { part, state, text } of findings) console.log(`${state.padEnd(11)}  ${part.padEnd(10)}  ${text}`)
    else printData(findings, flags.output)
    if (findings.some(({ state }) => state === 'wrong')) process.exitCode = 1
  })
  examples(addOptions(addFormat(command), 'doctor'), [
    ['sluice doctor', 'of a `sluice dev` here'],
    [
      'sluice doctor --url https://engine --nats-url nats://nats:4222 --postgres-url postgres://…',
      'of an engine elsewhere',
    ],
    ['sluice doctor -o json', 'for scripts; exit code 1 if anything is wrong'],
  ])
}

async function examine(flags: Readonly<Record<string, unknown>>): Promise<Finding[]> {
  const options = resolveOptions('doctor', { flags })
  const dev = options.url === undefined ? readDevState(resolve(options.data)) : null
  const natsUrl = options.natsUrl ?? dev?.natsUrl
  const postgresUrl = options.postgresUrl ?? dev?.postgresUrl
  const [nats, postgres, engine] = await Promise.all([
    natsUrl === undefined
      ? unknown('nats', '--nats-url (SLUICE_NATS_URL)')
      : reached('nats', examineNats(natsUrl, options.replicas)),
    postgresUrl === undefined
      ? unknown('postgres', '--postgres-url (SLUICE_POSTGRES_URL)')
      : reached('postgres', examinePostgres(postgresUrl), ': check SLUICE_POSTGRES_URL and that the server runs'),
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

/** `hint` is added to what doesn't say itself what to do. */
async function reached(part: string, work: Promise<Reached>, hint = ''): Promise<Reached> {
  try {
    return await work
  } catch (error) {
    return { findings: [{ part, state: 'wrong', text: textOf(error) + hint }], clockAheadMs: null }
  }
}

async function examinePostgres(url: string): Promise<Reached> {
  const condition = await conditionOf(url)
  const { version, hasTextIndex, clockAheadMs } = condition
  const part = 'postgres'
  const wrong = faultsOf(condition)
  const fine: Finding = { part, state: 'ok', text: `version ${version}, all migrations are there` }
  if (wrong.length > 0) return { findings: wrong.map((text) => ({ part, state: 'wrong', text })), clockAheadMs }
  const slow: Finding = { part, state: 'warning', text: `searching Trash by text reads every row: ${remedy}` }
  return { findings: hasTextIndex ? [fine] : [fine, slow], clockAheadMs }
}

/** Limits and schedules go by NATS' clock, what people see by Postgres' and ours. */
export function examineClocks(nats: Pick<Reached, 'clockAheadMs'>, postgres: Pick<Reached, 'clockAheadMs'>): Finding[] {
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
