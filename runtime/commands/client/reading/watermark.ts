import type { Command } from 'commander'
import { dataOf } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import type { Watermark } from '../../../client/openapi.d.ts'
import { Invalid, NotFound } from '../../../errors.ts'
import { addOptions, examples, wholeNumber } from '../../define.ts'
import { addFormat, plain, printList } from '../../terminal/print.ts'
import type { Format } from '../../terminal/print.ts'
import { findEngine, placeOf } from '../find.ts'

interface Flags extends Record<string, unknown> {
  readonly tenant?: string
  readonly reason?: string
}

type HistoryFlags = Flags & { readonly limit: number; readonly output: Format }

const allMax = 100_000

export function define(command: Command): void {
  const set = command.command('set').description('let the next run begin there')
  set.argument('<what>', 'TOPOLOGY/NODE').argument('<watermark>')
  examples(addOptions(addReason(addTenant(set)).action(setWatermark), 'client'), [
    ['sluice watermark set shop/orders 2026-03-01T00:00:00Z', 'also before the node has one'],
    ["sluice watermark set shop/orders 1200 --tenant ann --reason 'restored'", 'of one tenant'],
  ])

  const reset = command.command('reset').description('let the next run read everything').argument('<what>')
  examples(addOptions(addReason(addTenant(reset)).action(resetWatermark), 'client'), [
    ['sluice watermark reset shop/orders', "or begin with what the node's `initial` says"],
  ])

  const history = command.command('history').description('show what it was, the newest first').argument('<what>')
  history.option('--limit <n>', 'how many at most', wholeNumber('--limit', 1, allMax), 50)
  examples(addOptions(addFormat(addTenant(history).action(showHistory)), 'client'), [
    ['sluice watermark history shop/orders', 'and which run committed it, or who set it'],
  ])
}

const addTenant = (command: Command): Command =>
  command.option('--tenant <tenant>', 'whose; without it that of runs without a tenant')

const addReason = (command: Command): Command => command.option('--reason <text>', 'why, for those who come after')

async function setWatermark(what: string, watermark: string, flags: Flags): Promise<void> {
  const place = nodeOf(what)
  const { tenant, reason, ...rest } = flags
  const engine = findEngine(rest)
  const setting = { watermark, ...(reason !== undefined && { reason }) }
  const known = await knownWatermark(engine, place, tenant)
  const answer =
    known === undefined
      ? engine.POST('/api/watermarks', { body: { ...place, ...setting, ...(tenant !== undefined && { tenant }) } })
      : engine.PUT('/api/watermarks/{id}', { params: { path: { id: known.id } }, body: setting })
  tell(what, await dataOf(answer))
}

async function resetWatermark(what: string, { tenant, reason, ...flags }: Flags): Promise<void> {
  const place = nodeOf(what)
  const engine = findEngine(flags)
  const { id } = await findWatermark(engine, place, tenant)
  const body = reason === undefined ? {} : { reason }
  tell(what, await dataOf(engine.POST('/api/watermarks/{id}/reset', { params: { path: { id } }, body })))
}

async function showHistory(what: string, { tenant, limit, output, ...flags }: HistoryFlags): Promise<void> {
  const place = nodeOf(what)
  const engine = findEngine(flags)
  const { id } = await findWatermark(engine, place, tenant)
  const rows = await engine.list('/api/watermarks/{id}/history', { path: { id } }, limit)
  printList(
    rows,
    [
      ['AT', (row) => row.at],
      ['DEED', (row) => row.deed],
      ['WATERMARK', (row) => row.watermark],
      ['RUN', (row) => row.runId],
      ['BY', (row) => row.by],
      ['REASON', (row) => row.reason],
    ],
    output,
  )
}

function nodeOf(what: string): Place {
  const { topology, node } = placeOf(what)
  if (node === null) throw new Invalid(`"${what}" is no node: say TOPOLOGY/NODE`)
  return { topology, node }
}

interface Place {
  readonly topology: string
  readonly node: string
}

async function knownWatermark(engine: Engine, place: Place, tenant?: string): Promise<Watermark | undefined> {
  const query = { ...place, ...(tenant !== undefined && { tenant }) }
  const rows = await engine.list('/api/watermarks', { query }, allMax)
  return rows.find((row) => row.tenant === (tenant ?? null))
}

async function findWatermark(engine: Engine, place: Place, tenant?: string): Promise<Watermark> {
  const found = await knownWatermark(engine, place, tenant)
  if (found) return found
  const whose = tenant === undefined ? '' : ` for ${tenant}`
  throw new NotFound(`${place.topology}/${place.node} has no watermark${whose} yet: nothing was committed or set`)
}

function tell(what: string, { watermark, pending }: Watermark): void {
  const begins = watermark === null ? 'reads everything' : `goes on from ${watermark}`
  const late = pending ? '; it is stored, and reaches the bridges as soon as NATS answers' : ''
  console.log(plain(`the next run of ${what} ${begins}${late}`))
}
