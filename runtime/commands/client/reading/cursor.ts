import { Argument } from 'commander'
import type { Command } from 'commander'
import { dataOf } from '../../../client/answer.ts'
import type { Cursor, CursorChange } from '../../../client/openapi.d.ts'
import { addOptions, examples, wholeNumber } from '../../define.ts'
import { addFormat, plain, printList } from '../../terminal/print.ts'
import type { Format } from '../../terminal/print.ts'
import { findEngine } from '../find.ts'

interface Flags extends Record<string, unknown> {
  readonly reason?: string
}

type HistoryFlags = Flags & { readonly limit: number; readonly output: Format }

export function define(command: Command): void {
  const set = command.command('set').description('let the next page be asked for with another cursor')
  set.argument('<id>', 'as `sluice get cursors` shows it').argument('<cursor>')
  examples(addOptions(addReason(set).action(setCursor), 'client'), [
    ["sluice cursor set 9fK… page-17 --reason 'page 16 is broken'", 'also while a page is being tried again'],
  ])

  const rewind = command.command('rewind').description('go back to a page that was read, and on from there')
  rewind.argument('<id>').addArgument(pageArgument())
  examples(addOptions(addReason(rewind).action(rewindCursor), 'client'), [
    ['sluice cursor rewind 9fK… 12', 'what page 12 was asked for with; the numbers of pages go on'],
  ])

  const reset = command.command('reset').description('read everything again from the beginning').argument('<id>')
  examples(addOptions(addReason(reset).action(resetCursor), 'client'), [
    ['sluice cursor reset 9fK…', 'the next page is asked for without a cursor'],
  ])

  const history = command.command('history').description('show pages and edits, the newest first').argument('<id>')
  history.option('--limit <n>', 'how many at most', wholeNumber('--limit', 1, 100_000), 50)
  examples(addOptions(addFormat(history.action(showHistory)), 'client'), [
    ['sluice cursor history 9fK…', 'and who went back to which page, and why'],
  ])
}

const addReason = (command: Command): Command => command.option('--reason <text>', 'why, for those who come after')

const pageArgument = (): Argument =>
  new Argument('<page>', 'its number; the first one is 0').argParser(wholeNumber('PAGE', 0, 1_000_000_000))

const setCursor = (id: string, cursor: string, flags: Flags): Promise<void> => change(id, { cursor }, flags)
const rewindCursor = (id: string, page: number, flags: Flags): Promise<void> => change(id, { page }, flags)

async function change(id: string, to: CursorChange, { reason, ...flags }: Flags): Promise<void> {
  const body = { ...to, ...(reason !== undefined && { reason }) }
  tell(await dataOf(findEngine(flags).PUT('/api/cursors/{id}', { params: { path: { id } }, body })))
}

async function resetCursor(id: string, { reason, ...flags }: Flags): Promise<void> {
  const body = reason === undefined ? {} : { reason }
  tell(await dataOf(findEngine(flags).POST('/api/cursors/{id}/reset', { params: { path: { id } }, body })))
}

function tell({ node, page, edit, state, trashId }: Cursor): void {
  const from = edit?.cursor ?? 'the beginning'
  const when = state === 'stopped' ? `when ${trashId} is replayed from Trash` : 'at the next call'
  console.log(plain(`${node} goes on from ${from} ${when}; page ${page} was the newest`))
}

async function showHistory(id: string, { limit, output, ...flags }: HistoryFlags): Promise<void> {
  const rows = await findEngine(flags).list('/api/cursors/{id}/history', { path: { id } }, limit)
  printList(
    rows,
    [
      ['AT', (row) => row.at],
      ['DEED', (row) => row.deed],
      ['PAGE', (row) => row.page],
      ['CURSOR', (row) => row.cursor],
      ['PROGRESS', (row) => row.progress],
      ['BY', (row) => row.by],
      ['REASON', (row) => row.reason],
    ],
    output,
  )
}
