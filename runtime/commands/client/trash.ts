import type { Command } from 'commander'
import { Invalid } from '../../errors.ts'
import { addOptions, wholeNumber } from '../define.ts'
import { queryOf, segment } from '../../client/engine.ts'
import { findEngine } from './find.ts'
import type { Engine } from '../../client/engine.ts'
import { editInEditor } from '../terminal/editor.ts'
import { isConfirmed, jsonOfFlag } from '../terminal/input.ts'
import { addFormat, plain, printJson, printList } from '../terminal/print.ts'
import type { Format } from '../terminal/print.ts'
import type { Payload, TrashHead, TrashItem } from '../../client/shapes.ts'

interface Filter extends Record<string, unknown> {
  readonly topology?: string
  readonly node?: string
  readonly run?: string
  readonly fingerprint?: string
  readonly text?: string
}

const rowsMax = 100_000

export function define(command: Command): void {
  const list = command.command('list').description('list failed messages, the newest first').action(listTrash)
  list.option('--state <state>', 'open, replayed or discarded', 'open')
  list.option('--limit <n>', 'how many at most', wholeNumber('--limit', 1, rowsMax), 50)
  addOptions(addFormat(addFilter(list)), 'client')

  const show = command.command('show').description('show a message, why it failed, and its edits')
  addOptions(addFormat(show.argument('<id>').action(showTrash)), 'client')

  const edit = command.command('edit').description('change a message; the original is kept').argument('<id>')
  edit.option('--body <json>', 'the new body: JSON, @file, or - for stdin; without it your editor opens')
  edit.option('--reason <text>', 'why, for those who come after')
  edit.option('--replay', 'replay it at once')
  addOptions(edit.action(editTrash), 'client')

  const settle = (name: 'replay' | 'discard', says: string) => {
    const made = command.command(name).description(says).argument('[ids...]', 'as `sluice trash list` shows them')
    made.option('--all', 'every open message that the filters leave')
    if (name === 'discard') made.option('--reason <text>', 'why, for those who come after')
    if (name === 'discard') made.option('--yes', "don't ask before all of them are discarded without a filter")
    const action = (ids: string[], flags: SettleFlags) => settleTrash(name, ids, flags)
    addOptions(addFilter(made).action(action), 'client')
  }
  settle('replay', 'send messages to their node again')
  settle('discard', 'settle messages for good, without sending them')
}

function addFilter(command: Command): Command {
  return command
    .option('--topology <topology>', 'name or id')
    .option('--node <node>', 'name or id')
    .option('--run <run>', 'id')
    .option('--fingerprint <text>', 'messages that failed alike')
    .option('--text <text>', 'part of the error')
}

function findTrash(engine: Engine, filter: Filter, state: string, limit: number): Promise<TrashHead[]> {
  const { topology, node, run, fingerprint, text } = filter
  return engine.list<TrashHead>(`/api/trash${queryOf({ topology, node, run, fingerprint, text, state })}`, limit)
}

async function listTrash(flags: Filter & { state: string; limit: number; output: Format }): Promise<void> {
  const rows = await findTrash(findEngine(flags), flags, flags.state, flags.limit)
  printList(
    rows,
    [
      ['ID', (row) => row.id],
      ['TOPOLOGY', (row) => row.topology],
      ['NODE', (row) => row.node],
      ['AT', (row) => row.createdAt],
      ['ERROR', ({ error }) => `${error.title}${error.detail === undefined ? '' : `: ${error.detail.slice(0, 80)}`}`],
    ],
    flags.output,
  )
}

const read = (engine: Engine, id: string) => engine.get<TrashItem>(`/api/trash/${segment(id)}`)

async function showTrash(id: string, flags: Record<string, unknown> & { output: Format }): Promise<void> {
  const item = await read(findEngine(flags), id)
  if (flags.output === 'json') return printJson(item)
  const { topology, node, runId, messageId, state, error, attempts, versions } = item
  console.log(`${topology}/${node}, run ${runId}, message ${messageId}, ${state}`)
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

function bodyOf({ body, bodyBase64 }: Payload): string {
  if (bodyBase64 !== undefined) return `base64 ${bodyBase64}`
  if (body === undefined) return '(the body needs a token with the scope "payload")'
  return JSON.stringify(body, null, 2)
}

type EditFlags = Record<string, unknown> & { body?: string; reason?: string; replay?: boolean }

async function editTrash(id: string, flags: EditFlags): Promise<void> {
  const engine = findEngine(flags)
  const path = `/api/trash/${segment(id)}`
  const { body: item, etag } = await engine.send<TrashItem>('GET', path)
  const edited = flags.body === undefined ? await editInEditor(item) : jsonOfFlag('--body', flags.body)
  if (edited === undefined) return console.log('nothing was changed')
  await engine.send('PUT', path, { body: { body: edited, reason: flags.reason }, ifMatch: etag })
  console.log(`${id} is changed${flags.replay === true ? '' : `; to send it: sluice trash replay ${id}`}`)
  if (flags.replay === true) await settleOne(engine, 'replay', id, undefined)
}

type SettleFlags = Filter & { all?: boolean; reason?: string; yes?: boolean }

function isFiltered({ topology, node, run, fingerprint, text }: Filter): boolean {
  return [topology, node, run, fingerprint, text].some((value) => value !== undefined)
}

/** Throws `Invalid` unless a person at the terminal says yes. */
async function confirmAll(): Promise<void> {
  const what = 'this would discard every open message of the engine'
  const isSure = process.stdin.isTTY && process.stdout.isTTY && (await isConfirmed(`${what}. Go on? [y/N] `))
  if (!isSure) throw new Invalid(`${what}: narrow it with filters such as --run or --node, or say --yes`)
}

async function settleTrash(action: 'replay' | 'discard', ids: readonly string[], flags: SettleFlags): Promise<void> {
  if (ids.length === 0 && flags.all !== true)
    throw new Invalid(`say which: sluice trash ${action} ID…, or --all with filters such as --run or --node`)
  if (action === 'discard' && ids.length === 0 && !isFiltered(flags) && flags.yes !== true) await confirmAll()
  const engine = findEngine(flags)
  const found = ids.length > 0 ? ids : (await findTrash(engine, flags, 'open', rowsMax)).map(({ id }) => id)
  for (const id of found) await settleOne(engine, action, id, flags.reason)
  if (found.length === 0) console.log('none')
}

async function settleOne(engine: Engine, action: string, id: string, reason: string | undefined): Promise<void> {
  const { body } = await engine.send<{ result: string }>('POST', `/api/trash/${segment(id)}/${action}`, {
    body: { reason },
  })
  console.log(`${id} ${body.result}`)
}
