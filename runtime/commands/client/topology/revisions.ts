import { Argument } from 'commander'
import type { Command } from 'commander'
import { dataOf } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import { Conflict } from '../../../errors.ts'
import { addOptions, examples, wholeNumber } from '../../define.ts'
import { addFormat, printData, printList } from '../../terminal/print.ts'
import type { Format } from '../../terminal/print.ts'
import { linesOf } from '../files/difference.ts'
import { addWait, awaitApplied } from '../files/wait.ts'
import type { WaitFlags } from '../files/wait.ts'
import { findEngine } from '../find.ts'

interface Flags extends Record<string, unknown>, WaitFlags {
  readonly output: Format
  readonly limit: number
}

const revision = wholeNumber('a revision', 1, 2_147_483_647)
const definitions: Readonly<Record<string, (command: Command) => void>> = {
  revisions: defineRevisions,
  diff: defineDiff,
  rollback: defineRollback,
}

/** `revisions`, `diff` and `rollback`, by the command's name. */
export function define(command: Command): void {
  definitions[command.name()]?.(command.argument('<topology>', 'name or id'))
}

function defineRevisions(command: Command): void {
  command.option('--limit <n>', 'how many at most', wholeNumber('--limit', 1, 100_000), 50).action(listRevisions)
  examples(addOptions(addFormat(command), 'client'), [
    ['sluice revisions orders', 'what was published when, the newest first'],
  ])
}

async function listRevisions(topology: string, flags: Flags): Promise<void> {
  const path = '/api/topologies/{topology}/revisions'
  const rows = await findEngine(flags).list(path, { path: { topology } }, flags.limit)
  printList(
    rows,
    [
      ['REVISION', (row) => row.revision],
      ['KIND', (row) => row.kind],
      ['CREATED AT', (row) => row.createdAt],
    ],
    flags.output,
  )
}

function defineDiff(command: Command): void {
  command
    .addArgument(new Argument('[from]', 'revision; by default the newest').argParser(revision))
    .addArgument(
      new Argument('[to]', 'revision; by default the newest, or with no revision at all the draft').argParser(revision),
    )
    .action(diff)
  examples(addOptions(addFormat(command), 'client'), [
    ['sluice diff orders', 'what a publish would change'],
    ['sluice diff orders 3', 'what has changed since revision 3'],
    ['sluice diff orders 3 5', 'between two revisions'],
  ])
}

async function diff(topology: string, from: number | undefined, to: number | undefined, flags: Flags): Promise<void> {
  const engine = findEngine(flags)
  const difference = await dataOf(
    engine.GET('/api/topologies/{topology}/revisions/{revision}/difference', {
      params: {
        path: { topology, revision: from ?? (await newestOf(engine, topology)) },
        query: from === undefined ? { to: 'draft' } : to === undefined ? {} : { to: String(to) },
      },
    }),
  )
  if (flags.output !== 'table') return printData(difference, flags.output)
  const lines = linesOf(difference)
  const sides = `revision ${difference.from} and ${difference.to === null ? 'the draft' : `revision ${difference.to}`}`
  console.log(lines.length === 0 ? `${topology}: ${sides} are the same` : `${topology}: between ${sides}`)
  for (const line of lines) console.log(line)
}

async function newestOf(engine: Engine, topology: string): Promise<number> {
  const newest = await dataOf(engine.GET('/api/topologies/{topology}', { params: { path: { topology } } }))
  if (newest.revision > 0) return newest.revision
  throw new Conflict(`${topology} was never published: there is no revision to compare its draft with`)
}

function defineRollback(command: Command): void {
  command.addArgument(new Argument('<revision>', 'as `sluice revisions` shows it').argParser(revision)).action(rollback)
  examples(addOptions(addWait(command), 'client'), [
    ['sluice rollback orders 3 --wait', 'revision 3 again, as a new revision; the draft stays'],
  ])
}

async function rollback(topology: string, to: number, flags: Flags): Promise<void> {
  const engine = findEngine(flags)
  const params = { path: { topology } }
  const after = await dataOf(engine.POST('/api/topologies/{topology}/rollback', { params, body: { revision: to } }))
  console.log(`${topology}: revision ${to} is published again, as revision ${after.revision}; the draft stays as it is`)
  if (flags.wait === true) await awaitApplied(engine, topology, flags)
}
