import type { Command } from 'commander'
import { Invalid } from '../../errors.ts'
import { dataOf } from '../../client/answer.ts'
import type { Engine } from '../../client/engine.ts'
import type { TrashHead, TrashMessage } from '../../client/openapi.d.ts'
import { addOptions, examples, wholeNumber } from '../define.ts'
import { bodyTextOf, isJsonType } from '../terminal/editor.ts'
import { addFormat, plain, printData, printList } from '../terminal/print.ts'
import type { Format } from '../terminal/print.ts'
import { defineBulk } from './bulk/bulk.ts'
import { checkPlace, findEngine } from './find.ts'
import { showDifference } from './trash/difference.ts'
import { defineEdit } from './trash/edit.ts'
import { addFilter, filterQuery, stateOption, stateQuery } from './trash/filter.ts'
import type { Filter, State } from './trash/filter.ts'
import { defineSettling } from './trash/settle.ts'
import { defineTransfer } from './trash/transfer.ts'

const rowsMax = 100_000

export function define(command: Command): void {
  const list = command.command('list').description('list failed messages, the newest first').action(listTrash)
  list.addOption(stateOption('open'))
  list.option('--limit <n>', 'how many at most', wholeNumber('--limit', 1, rowsMax), 50)
  examples(addOptions(addFormat(addFilter(list)), 'client'), [
    ['sluice trash list --topology orders --since 1d', 'what failed since yesterday, and is open'],
    ['sluice trash list --state replayed -o json', 'for scripts'],
  ])
  defineShow(command.command('show'))
  const groups = command.command('groups').description('what failed alike, the most frequent first').action(listGroups)
  groups.option('--limit <n>', 'how many at most', wholeNumber('--limit', 1, 500), 50)
  groups.addOption(stateOption('open'))
  examples(addOptions(addFormat(addFilter(groups)), 'client'), [
    ['sluice trash groups --topology orders', 'then `sluice trash replay --all --fingerprint …`'],
  ])
  defineEdit(command.command('edit'))
  defineSettling(command.command('replay'), 'replay', 'send messages to their node again')
  defineSettling(command.command('discard'), 'discard', 'settle messages for good, without sending them')
  defineBulk(command.command('bulk'))
  defineTransfer(command)
}

/** Nobody edits a message so often. */
const versionMax = 999_999_999

function defineShow(show: Command): void {
  show.description('show a message, why it failed, and its edits').argument('<id>').action(showTrash)
  const version = (flag: string) => wholeNumber(flag, 0, versionMax)
  show.option(
    '--exact [version]',
    'only what it holds, byte by byte, as edited last or in a version; 0: the original',
    version('--exact'),
  )
  show.option('--diff', 'what the edits changed, in place of the bodies')
  show.option('--from <version>', 'of --diff: since this version; without it the original', version('--from'))
  show.option('--to <version>', 'of --diff: up to this version; without it the newest', version('--to'))
  examples(addOptions(addFormat(show), 'client'), [
    ['sluice trash show 01K2X…', 'with each failed call, and each edit'],
    ['sluice trash show 01K2X… --diff', 'what the newest version has that the original has not'],
    ['sluice trash show 01K2X… --exact 0 > body.json', 'what it held when it failed'],
  ])
}

/** Throws `NotFound` for a topology or a run that isn't there. */
async function findTrash(engine: Engine, filter: Filter, state: State, limit: number): Promise<TrashHead[]> {
  const rows = await engine.list('/api/trash', { query: { ...filterQuery(filter), ...stateQuery(state) } }, limit)
  if (rows.length === 0) await checkPlace(engine, filter)
  return rows
}

type ListFlags = Filter & { state: State; limit: number; output: Format }

async function listGroups(flags: ListFlags): Promise<void> {
  const engine = findEngine(flags)
  const rows = await engine.list(
    '/api/trash/groups',
    { query: { ...filterQuery(flags), ...stateQuery(flags.state) } },
    flags.limit,
  )
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
      ...(flags.state === 'all' ? ([['STATE', (row: TrashHead) => row.state]] as const) : []),
      ['ERROR', ({ error }) => errorText(error)],
    ],
    flags.output,
  )
}

type ShowFlags = Record<string, unknown> & {
  output: Format
  exact?: true | number
  diff?: boolean
  from?: number
  to?: number
}

async function showTrash(id: string, flags: ShowFlags): Promise<void> {
  const { exact, diff = false, from, to, output } = flags
  if (exact !== undefined && diff) throw new Invalid('give either --exact or --diff')
  if (!diff && (from ?? to) !== undefined) throw new Invalid('--from and --to are of --diff')
  if (diff) return showDifference(findEngine(flags), id, { from, to }, output)
  if (exact !== undefined) return showExact(findEngine(flags), id, exact === true ? undefined : exact, output)
  return showWhole(id, flags)
}

async function showExact(engine: Engine, id: string, version: number | undefined, output: Format): Promise<void> {
  const query = version === undefined ? {} : { version }
  const found = await dataOf(engine.GET('/api/trash/{id}/body', { params: { path: { id }, query } }))
  if (output !== 'table') return printData(found, output)
  process.stdout.write(Buffer.from(found.bodyBase64, 'base64'))
}

async function showWhole(id: string, flags: ShowFlags): Promise<void> {
  const engine = findEngine(flags)
  const item = await dataOf(engine.GET('/api/trash/{id}', { params: { path: { id } } }))
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
  console.log(await bodyText(engine, item, 0))
  for (const { version, by, reason } of versions) {
    console.log(`version ${version} by ${plain(by)}${reason === null ? '' : ` (${plain(reason)})`}:`)
    console.log(await bodyText(engine, item, version))
  }
}

/** Not as the answer has it, whose numbers have lost what JavaScript can't hold. */
async function bodyText(engine: Engine, { id, body, bodyBase64 }: TrashMessage, version: number): Promise<string> {
  if (body === undefined && bodyBase64 === undefined) return '(the body needs a token with the scope "payload")'
  const asked = { params: { path: { id }, query: { version } } }
  const found = await dataOf(engine.GET('/api/trash/{id}/body', asked))
  const text = bodyTextOf(found)
  if (text === null) return `base64 ${found.bodyBase64}`
  return isJsonType(found.contentType) ? text.trimEnd().split('\n').map(plain).join('\n') : JSON.stringify(text)
}
