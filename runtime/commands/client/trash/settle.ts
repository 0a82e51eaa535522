import type { Command } from 'commander'
import { Conflict, Invalid, LostRace, NotFound, textOf } from '../../../errors.ts'
import type { Fault } from '../../../errors.ts'
import { dataOf } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import { Refused } from '../../../client/problem.ts'
import { addOptions, examples } from '../../define.ts'
import { isConfirmed } from '../../terminal/input.ts'
import { grouped, plain } from '../../terminal/print.ts'
import { allOf, isFiltered } from '../bulk/filter.ts'
import { createBulk, followBulk, isWell } from '../bulk/follow.ts'
import { checkPlace, findEngine } from '../find.ts'
import { addFilter, filterQuery } from './filter.ts'
import type { Filter } from './filter.ts'

type Action = 'replay' | 'discard'

export function defineSettling(command: Command, name: Action, says: string): void {
  command.description(says).argument('[ids...]', 'as `sluice trash list` shows them')
  command.option('--all', 'every open message that the filters leave, as a bulk; exit code 1 unless all went well')
  command.option('--no-follow', "of --all: don't wait until it is over")
  if (name === 'replay') {
    command.option('--to <node>', 'send it to another node of its topology, by name or id')
    command.option('--no-newest-revision', 'only if the node is handled as it was when the message failed')
    acceptWarningsOption(command)
  } else {
    command.option('--reason <text>', 'why, for those who come after')
    command.option('--yes', "don't ask before all of them are discarded without a filter")
  }
  const action = (ids: string[], flags: SettleFlags) => settleTrash(name, ids, flags)
  examples(addOptions(addFilter(command).action(action), 'client'), [
    [`sluice trash ${name} 01K2X…`, 'one'],
    [`sluice trash ${name} --all --topology orders --node store`, 'all that is open there'],
  ])
}

export function acceptWarningsOption(command: Command, of = ''): Command {
  return command.option(
    '--accept-warnings',
    `${of}also a body that doesn't fit the node's input schema, or couldn't be checked by it`,
  )
}

interface Settling {
  readonly reason?: string
  readonly to?: string
  readonly newestRevision?: boolean
  readonly acceptWarnings?: boolean
}

type SettleFlags = Filter & Settling & { all?: boolean; follow?: boolean; yes?: boolean }

/** Throws `Invalid` unless a person at the terminal says yes. */
async function confirmAll(): Promise<void> {
  const what = 'this would discard every open message of the engine'
  const isSure = process.stdin.isTTY && process.stdout.isTTY && (await isConfirmed(`${what}. Go on? [y/N] `))
  if (!isSure) throw new Invalid(`${what}: narrow it with filters such as --run or --node, or say --yes`)
}

async function settleTrash(action: Action, ids: readonly string[], flags: SettleFlags): Promise<void> {
  if (ids.length === 0 && flags.all !== true)
    throw new Invalid(`say which: sluice trash ${action} ID…, or --all with filters such as --run or --node`)
  if (ids.length > 0 && (flags.all === true || isFiltered(flags)))
    throw new Invalid('give either ids, or --all with filters: with ids nothing else says which messages')
  if (ids.length === 0) refuseSingle(flags)
  if (action === 'discard' && ids.length === 0 && !isFiltered(flags) && flags.yes !== true) await confirmAll()
  const engine = findEngine(flags)
  if (ids.length === 0) return settleAll(engine, action, flags)
  let refused = 0
  for (const id of ids) if (!(await isSettled(engine, action, id, flags))) refused += 1
  if (refused > 0) process.exitCode = 1
  if (ids.length > 1) console.log(countText(action, ids.length, refused))
}

/** Throws `Invalid` for what only a message that is named can be told. */
function refuseSingle({ to, newestRevision }: Settling): void {
  const flag = to !== undefined ? '--to' : newestRevision === false ? '--no-newest-revision' : null
  if (flag !== null) throw new Invalid(`${flag} is for single messages, not for --all: sluice trash replay ID… ${flag}`)
}

/** The engine does it, also when this command is interrupted. */
async function settleAll(engine: Engine, action: Action, flags: SettleFlags): Promise<void> {
  if (await isNothingOpen(engine, flags)) return console.log('none')
  const { reason, follow, acceptWarnings } = flags
  const bulk = await createBulk(engine, {
    action,
    filter: allOf(flags),
    ...(reason !== undefined && { reason }),
    ...(acceptWarnings === true && { acceptWarnings }),
  })
  console.log(`bulk ${bulk.id}: ${grouped(bulk.messages.total)} messages`)
  if (follow !== false && !isWell(await followBulk(engine, bulk.id))) process.exitCode = 1
}

/** Throws `NotFound` for a topology or a run that isn't there. */
async function isNothingOpen(engine: Engine, filter: Filter): Promise<boolean> {
  const rows = await engine.list('/api/trash', { query: { ...filterQuery(filter), state: 'open' } }, 1)
  if (rows.length === 0) await checkPlace(engine, filter)
  return rows.length === 0
}

function countText(action: Action, all: number, refused: number): string {
  const what = action === 'replay' ? 'sent again' : 'discarded'
  return `${grouped(all - refused)} of ${grouped(all)} ${what}${refused === 0 ? '' : `, ${grouped(refused)} refused`}`
}

/** False: the engine refuses it, as is said with its id; the others go on. Throws when the engine refuses all or can't be reached. */
async function isSettled(...[engine, action, id, how]: Parameters<typeof settleOne>): Promise<boolean> {
  try {
    await settleOne(engine, action, id, how)
    return true
  } catch (error) {
    if (![Conflict, Invalid, LostRace, NotFound].some((kind) => error instanceof kind)) throw error
    console.error(`${plain(id)}: ${textOf(error)}`)
    for (const { path, message } of faultsOf(error)) console.error(plain(`  ${path} ${message}`))
    return false
  }
}

/** Of several each has a line; one alone stands in the message. */
function faultsOf(error: unknown): readonly Fault[] {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Refused && cause.status === 409 && cause.errors.length > 1 ? cause.errors : []
}

export async function settleOne(engine: Engine, action: Action, id: string, how: Settling): Promise<void> {
  const params = { path: { id } }
  const body = how.reason === undefined ? {} : { reason: how.reason }
  const replaying = {
    ...(how.to !== undefined && { node: how.to }),
    ...(how.newestRevision === false && { newestRevision: false }),
    ...(how.acceptWarnings === true && { acceptWarnings: true }),
  }
  const { result } = await (action === 'replay'
    ? dataOf(engine.POST('/api/trash/{id}/replay', { params, body: replaying }))
    : dataOf(engine.POST('/api/trash/{id}/discard', { params, body })))
  console.log(`${id} ${result}`)
}
