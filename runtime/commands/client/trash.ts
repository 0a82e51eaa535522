import { Option } from 'commander'
import type { Command } from 'commander'
import { Conflict, Invalid, LostRace, NotFound, textOf } from '../../errors.ts'
import type { Fault } from '../../errors.ts'
import { Refused } from '../../client/problem.ts'
import { addFilter, filterQuery } from './trash/filter.ts'
import type { Filter } from './trash/filter.ts'
import { showDifference } from './trash/difference.ts'
import { defineTransfer } from './trash/transfer.ts'
import { answerOf, dataOf, ifMatch } from '../../client/answer.ts'
import type { Engine } from '../../client/engine.ts'
import type { TrashHead, TrashMessage } from '../../client/openapi.d.ts'
import { addOptions, examples, wholeNumber } from '../define.ts'
import { defineBulk } from './bulk/bulk.ts'
import { allOf, isFiltered } from './bulk/filter.ts'
import { createBulk, followBulk, isWell } from './bulk/follow.ts'
import { checkPlace, findEngine } from './find.ts'
import { editInEditor } from '../terminal/editor.ts'
import { bytesOfFlag, isConfirmed, jsonOfFlag } from '../terminal/input.ts'
import { addFormat, grouped, plain, printData, printList } from '../terminal/print.ts'
import type { Format } from '../terminal/print.ts'

type State = TrashHead['state']

const rowsMax = 100_000

export function define(command: Command): void {
  const list = command.command('list').description('list failed messages, the newest first').action(listTrash)
  list.addOption(stateOption())
  list.option('--limit <n>', 'how many at most', wholeNumber('--limit', 1, rowsMax), 50)
  examples(addOptions(addFormat(addFilter(list)), 'client'), [
    ['sluice trash list --topology orders --since 1d', 'what failed since yesterday, and is open'],
    ['sluice trash list --state replayed -o json', 'for scripts'],
  ])

  const show = command.command('show').description('show a message, why it failed, and its edits')
  show.option('--diff', 'what the edits changed, in place of the bodies')
  examples(addOptions(addFormat(show.argument('<id>').action(showTrash)), 'client'), [
    ['sluice trash show 01K2X…', 'with each failed call, and each edit'],
    ['sluice trash show 01K2X… --diff', 'what the newest version has that the original has not'],
  ])
  const groups = command.command('groups').description('what failed alike, the most frequent first').action(listGroups)
  groups.option('--limit <n>', 'how many at most', wholeNumber('--limit', 1, 500), 50)
  groups.addOption(stateOption())
  examples(addOptions(addFormat(addFilter(groups)), 'client'), [
    ['sluice trash groups --topology orders', 'then `sluice trash replay --all --fingerprint …`'],
  ])

  const edit = command.command('edit').description('change a message; the original is kept').argument('<id>')
  edit.option('--body <json>', 'the new body: JSON, @file, or - for stdin; without it your editor opens')
  edit.option('--content-type <type>', 'the new body is of this type, and sent byte by byte; with --body')
  edit.option('--reason <text>', 'why, for those who come after')
  edit.option('--replay', 'replay it at once')
  examples(addOptions(edit.action(editTrash), 'client'), [
    ['sluice trash edit 01K2X… --replay', 'in your editor, then to its node again'],
    ["sluice trash edit 01K2X… --body '{\"id\": 4}' --reason 'typed wrong'", 'without an editor'],
    ['sluice trash edit 01K2X… --body @row.csv --content-type text/csv', 'a body that is no JSON'],
  ])

  const settle = (name: 'replay' | 'discard', says: string) => {
    const made = command.command(name).description(says).argument('[ids...]', 'as `sluice trash list` shows them')
    made.option('--all', 'every open message that the filters leave, as a bulk; exit code 1 unless all went well')
    made.option('--no-follow', "of --all: don't wait until it is over")
    if (name === 'replay') addReplaying(made)
    if (name === 'discard') made.option('--reason <text>', 'why, for those who come after')
    if (name === 'discard') made.option('--yes', "don't ask before all of them are discarded without a filter")
    const action = (ids: string[], flags: SettleFlags) => settleTrash(name, ids, flags)
    examples(addOptions(addFilter(made).action(action), 'client'), [
      [`sluice trash ${name} 01K2X…`, 'one'],
      [`sluice trash ${name} --all --topology orders --node store`, 'all that is open there'],
    ])
  }
  settle('replay', 'send messages to their node again')
  settle('discard', 'settle messages for good, without sending them')
  defineBulk(command.command('bulk'))
  defineTransfer(command)
}

function addReplaying(command: Command): void {
  command.option('--to <node>', 'send it to another node of its topology, by name or id')
  command.option('--no-newest-revision', 'only if the node is handled as it was when the message failed')
  command.option(
    '--accept-warnings',
    "also a body that doesn't fit the node's input schema, or couldn't be checked by it",
  )
}

function stateOption(): Option {
  const states = ['open', 'replayed', 'discarded'] as const satisfies State[]
  return new Option('--state <state>', 'what became of them').choices(states).default('open')
}

function queryOf(filter: Filter, state: State) {
  return { ...filterQuery(filter), state }
}

/** Throws `NotFound` for a topology or a run that isn't there. */
async function findTrash(engine: Engine, filter: Filter, state: State, limit: number): Promise<TrashHead[]> {
  const rows = await engine.list('/api/trash', { query: queryOf(filter, state) }, limit)
  if (rows.length === 0) await checkPlace(engine, filter)
  return rows
}

type ListFlags = Filter & { state: State; limit: number; output: Format }

async function listGroups(flags: ListFlags): Promise<void> {
  const engine = findEngine(flags)
  const rows = await engine.list('/api/trash/groups', { query: queryOf(flags, flags.state) }, flags.limit)
  if (rows.length === 0) await checkPlace(engine, flags)
  printList(
    rows,
    [
      ['COUNT', (row) => row.count],
      ['TOPOLOGY', (row) => row.topology],
      ['NODE', (row) => row.node],
      ['LAST SEEN', (row) => row.lastSeen],
      ['FINGERPRINT', (row) => row.fingerprint],
      ['ERROR', ({ error }) => errorText(error)],
    ],
    flags.output,
  )
}

const errorText = ({ title, detail }: TrashHead['error']): string =>
  `${title}${detail === undefined ? '' : `: ${detail.slice(0, 80)}`}`

async function listTrash(flags: ListFlags): Promise<void> {
  const rows = await findTrash(findEngine(flags), flags, flags.state, flags.limit)
  printList(
    rows,
    [
      ['ID', (row) => row.id],
      ['TOPOLOGY', (row) => row.topology],
      ['NODE', (row) => row.node],
      ['AT', (row) => row.createdAt],
      ['ERROR', ({ error }) => errorText(error)],
    ],
    flags.output,
  )
}

async function showTrash(
  id: string,
  flags: Record<string, unknown> & { output: Format; diff?: boolean },
): Promise<void> {
  if (flags.diff === true) return showDifference(findEngine(flags), id, flags.output)
  const item = await dataOf(findEngine(flags).GET('/api/trash/{id}', { params: { path: { id } } }))
  if (flags.output !== 'table') return printData(item, flags.output)
  const { topology, node, runId, messageId, state, error, attempts, versions, tenant, traceId } = item
  console.log(`${topology}/${node}, run ${runId}, message ${messageId}, ${state}`)
  console.log(`trace ${traceId}${tenant === null ? '' : `, tenant ${plain(tenant)}`}`)
  console.log(plain(`${error.status ?? ''} ${error.title}: ${error.detail ?? ''}`.trim()))
  for (const { attempt, at, instance, status, problem, durationMs } of attempts)
    console.log(
      plain(
        `  attempt ${attempt} at ${at}, ${instance ?? 'no instance'}, ${status ?? '-'} ${problem.title}, ${durationMs} ms`,
      ),
    )
  console.log(bodyOf(item))
  for (const version of versions) {
    const why = version.reason === null ? '' : ` (${plain(version.reason)})`
    console.log(`version ${version.version} by ${plain(version.by)}${why}:\n${bodyOf(version)}`)
  }
}

function bodyOf({ body, bodyBase64 }: Pick<TrashMessage, 'body' | 'bodyBase64'>): string {
  if (bodyBase64 !== undefined) return `base64 ${bodyBase64}`
  if (body === undefined) return '(the body needs a token with the scope "payload")'
  return JSON.stringify(body, null, 2)
}

type EditFlags = Record<string, unknown> & { body?: string; contentType?: string; reason?: string; replay?: boolean }

async function editTrash(id: string, flags: EditFlags): Promise<void> {
  if (flags.contentType !== undefined && flags.body === undefined)
    throw new Invalid('--content-type is of the body that --body gives')
  const engine = findEngine(flags)
  const params = { path: { id } }
  const { data: item, etag } = await answerOf(engine.GET('/api/trash/{id}', { params }))
  const edited = await editedBody(item, flags)
  if (edited === null) return console.log('nothing was changed')
  const body = { ...edited, ...(flags.reason !== undefined && { reason: flags.reason }) }
  const saved = await dataOf(engine.PUT('/api/trash/{id}', { params, body, headers: ifMatch(etag) }))
  for (const { path, message } of saved.warnings) console.error(plain(`warning: ${path} ${message}`))
  console.log(`${id} is changed${flags.replay === true ? '' : `; to send it: sluice trash replay ${id}`}`)
  if (flags.replay === true) await settleOne(engine, 'replay', id, {})
}

/** Null: nothing was changed. */
async function editedBody(item: TrashMessage, { body, contentType }: EditFlags) {
  if (body === undefined) {
    const edited = await editInEditor(item)
    return edited === undefined ? null : { body: edited }
  }
  if (contentType === undefined) return { body: jsonOfFlag('--body', body) }
  return { contentType, bodyBase64: Buffer.from(bytesOfFlag(body)).toString('base64') }
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

async function settleTrash(action: 'replay' | 'discard', ids: readonly string[], flags: SettleFlags): Promise<void> {
  if (ids.length === 0 && flags.all !== true)
    throw new Invalid(`say which: sluice trash ${action} ID…, or --all with filters such as --run or --node`)
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
async function settleAll(engine: Engine, action: 'replay' | 'discard', flags: SettleFlags): Promise<void> {
  if ((await findTrash(engine, flags, 'open', 1)).length === 0) return console.log('none')
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

function countText(action: 'replay' | 'discard', all: number, refused: number): string {
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

async function settleOne(engine: Engine, action: 'replay' | 'discard', id: string, how: Settling): Promise<void> {
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
