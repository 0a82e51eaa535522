import { setTimeout as delay } from 'node:timers/promises'
import { Argument, Option } from 'commander'
import type { Command } from 'commander'
import type { Engine } from '../../../client/engine.ts'
import { Invalid } from '../../../errors.ts'
import { didYouMean } from '../../../topology/suggest.ts'
import { yamlOf } from '../../../topology/yaml.ts'
import { addOptions, examples, moment, wholeNumber } from '../../define.ts'
import { addFormat, printData, printList, printRecord } from '../../terminal/print.ts'
import type { Format } from '../../terminal/print.ts'
import { checkPlace, findEngine } from '../find.ts'
import { cellOf, columnOf } from './cells.ts'
import { kinds } from './kinds.ts'
import type { FilterName, Filters, Kind, Row } from './kinds.ts'
import { ones } from './ones.ts'
import type { One } from './ones.ts'

interface Flags extends Record<string, unknown>, Filters {
  readonly limit: number
  readonly output: Format
  readonly watch?: boolean
  readonly documents?: boolean
}

const watchMs = 2_000
const filterNames = [
  'node',
  'run',
  'tenant',
  'state',
  'since',
  'until',
  'fingerprint',
  'text',
  'who',
  'action',
  'active',
] as const satisfies FilterName[]
const lists = Object.keys(kinds) as (keyof typeof kinds)[]
const singles = Object.keys(ones) as (keyof typeof ones)[]

export function define(command: Command): void {
  command
    .addArgument(
      new Argument('<kind>', 'what to list, or to show one of').choices([...lists, ...singles]).argParser(kindOf),
    )
    .argument(
      '[names...]',
      'of lists: the topology (nodes, revisions; optional for cron, runs, cursors, watermarks, trash, queues, audit); else which one',
    )
    .option('--limit <n>', 'how many at most (default 50)', wholeNumber('--limit', 1, 100_000), 50)
    .option(
      '--state <state>',
      'runs: one or several of running, finished, failed, cancelled, with commas; trash: open, replayed, discarded',
    )
    .option('--node <node>', 'runs, trash, cursors, watermarks: name or id')
    .option('--tenant <tenant>', 'runs, trash, cursors, watermarks: on whose behalf')
    .option('--run <run>', 'trash, cursors: id')
    .option(
      '--since <time>',
      'runs, trash, audit: from then on; a time, or how long ago, such as 2h',
      moment('--since'),
    )
    .option('--until <time>', 'runs, trash, audit: before', moment('--until'))
    .option('--fingerprint <text>', 'trash: messages that failed alike')
    .option('--text <text>', 'trash: part of the error')
    .option('--who <token>', 'audit: name or id of a token')
    .option('--action <operation>', 'audit: what was done, such as publishTopology')
    .addOption(
      new Option('--active [yes]', 'cursors: true (default), what reads or is stopped; false, what has come to its end')
        .choices(['true', 'false'])
        .preset('true'),
    )
    .option('--documents', 'topologies: only their documents, as `sluice apply` takes them')
    .option('--watch', 'again every two seconds, until ^C')
    .action(get)
  examples(addOptions(addFormat(command), 'client'), [
    ['sluice get topologies', 'a table'],
    ['sluice get nodes orders -o json', 'for scripts'],
    ['sluice get runs orders --state failed --since 2h', 'what failed today'],
    ['sluice get queues --watch', 'how work moves on'],
    ['sluice get audit orders --since 1d', 'who changed what of it'],
    ['sluice get topology orders -o yaml > orders.yaml', 'its document, for `sluice apply`'],
    ['sluice get topologies --documents -o yaml > all.yaml', 'those of all'],
  ])
}

function kindOf(text: string): string {
  const known = [...lists, ...singles]
  if (known.some((kind) => kind === text)) return text
  throw new Invalid(
    `there is nothing called "${text}" to list${didYouMean(text, known)}; there are ${lists.join(', ')}, and one of ${singles.join(', ')}`,
  )
}

async function get(kind: string, names: readonly string[], flags: Flags): Promise<void> {
  const show =
    kind in ones ? showOne(kind as keyof typeof ones, names, flags) : showList(kind as keyof typeof kinds, names, flags)
  const engine = findEngine({ ...flags })
  await show(engine)
  while (flags.watch === true) {
    await delay(watchMs)
    if (process.stdout.isTTY) process.stdout.write('\x1b[H\x1b[2J')
    await show(engine)
  }
}

/** Checks what was given, before an engine is looked for. */
function showList(name: keyof typeof kinds, names: readonly string[], flags: Flags): (engine: Engine) => Promise<void> {
  const kind: Kind = kinds[name]
  checkList(name, kind, names, flags)
  const { limit, output } = flags
  const given = Object.fromEntries(
    filterNames.flatMap((filter) => (flags[filter] === undefined ? [] : [[filter, flags[filter]]])),
  )
  const wanted = { ...given, ...(names[0] !== undefined && { topology: names[0] }) }
  return async (engine) => {
    const rows = await kind.read(engine, wanted, flags.documents === true ? Infinity : limit)
    if (rows.length === 0) await checkPlace(engine, wanted)
    if (flags.documents === true) return printDocuments(rows, output)
    printList(rows, kind.columns.map(columnOf), output)
  }
}

function checkList(name: string, { of, filters = [] }: Kind, names: readonly string[], flags: Flags): void {
  if (of === 'topology' && names.length === 0)
    throw new Invalid(`${name} are listed for one topology: sluice get ${name} TOPOLOGY`)
  if (of === 'all' && names.length > 0) throw new Invalid(`${name} aren't listed by topology: sluice get ${name}`)
  if (names.length > 1) throw new Invalid(`${name} are listed for one topology at a time`)
  if (flags.documents === true && name !== 'topologies') throw new Invalid(`${name} have no documents`)
  const foreign = filterNames.filter((filter) => flags[filter] !== undefined && !filters.includes(filter))
  if (foreign.length === 0) return
  const taken = filters.length === 0 ? 'take no filters' : `take ${filters.map((filter) => `--${filter}`).join(', ')}`
  throw new Invalid(`--${foreign.join(', --')} says nothing of ${name}; they ${taken}`)
}

function showOne(name: keyof typeof ones, names: readonly string[], flags: Flags): (engine: Engine) => Promise<void> {
  const one: One = ones[name]
  const wanted = one.names.split(' ').filter((word) => word !== '').length
  const isRight = one.names.endsWith('…') ? names.length >= wanted : names.length === wanted
  if (!isRight) throw new Invalid(`say which: sluice get ${name} ${one.names}`.trimEnd())
  const foreign = filterNames.filter((filter) => flags[filter] !== undefined)
  if (foreign.length > 0) throw new Invalid(`--${foreign.join(', --')} narrows lists, and this is one ${name}`)
  return async (engine) => {
    if (name === 'topology') return showTopologies(engine, names, flags.output)
    const row = await one.read(engine, names)
    if (flags.output === 'table') printRecord(mapValues(row))
    else printData(row, flags.output)
  }
}

async function showTopologies(engine: Engine, names: readonly string[], output: Format): Promise<void> {
  const rows = await Promise.all(names.map((name) => ones.topology.read(engine, [name])))
  if (output !== 'table') return printDocuments(rows, output)
  for (const { document: _, ...row } of rows) printRecord(mapValues(row))
}

/** As `sluice apply` takes them; also of one JSON document no list. */
function printDocuments(rows: readonly Row[], output: Format): void {
  const documents = rows.map(({ document }) => document)
  if (output === 'json') return printData(documents.length === 1 ? documents[0] : documents, 'json')
  process.stdout.write(documents.map(yamlOf).join('---\n'))
}

function mapValues(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value === null ? null : cellOf(name, row)]),
  )
}
