import { Argument } from 'commander'
import type { Command } from 'commander'
import { Invalid } from '../../errors.ts'
import { addOptions, wholeNumber } from '../define.ts'
import { queryOf, segment } from '../../client/engine.ts'
import { findEngine } from './find.ts'
import { messagesText } from './run.ts'
import type { Run } from '../../client/shapes.ts'
import { didYouMean } from '../../topology/suggest.ts'
import type { Engine } from '../../client/engine.ts'
import { instancesText } from '../terminal/instances.ts'
import { addFormat, printList } from '../terminal/print.ts'
import type { Column, Format } from '../terminal/print.ts'

type Row = Readonly<Record<string, unknown>>

interface Kind {
  /** Path of the list; the topology is a name or an id. */
  readonly path: (topology: string | undefined) => string
  readonly columns: readonly string[]
  /** Whether the list is of one topology. */
  readonly of: 'topology' | 'all' | 'either'
  /** Flags that narrow it. */
  readonly filters?: readonly Filter[]
}

const filterNames = ['who', 'action', 'since', 'until'] as const
type Filter = (typeof filterNames)[number]
interface Flags extends Readonly<Partial<Record<Filter, string>>> {
  readonly limit: number
  readonly output: Format
}

const ofTopology = (rest: string) => (topology: string | undefined) =>
  `/api/topologies/${segment(topology ?? '')}/${rest}`
const filtered = (path: string) => (topology: string | undefined) => path + queryOf({ topology })
const whole = (path: string) => () => path

const kinds = {
  topologies: {
    path: whole('/api/topologies'),
    columns: ['name', 'visibility', 'revision', 'enabled', 'pausedReason', 'bridgeOutOfSync', 'id'],
    of: 'all',
  },
  nodes: {
    path: ofTopology('nodes'),
    columns: ['name', 'type', 'worker', 'prefetch', 'enabled', 'pausedReason', 'breaker', 'leaving', 'followers', 'id'],
    of: 'topology',
  },
  revisions: { path: ofTopology('revisions'), columns: ['revision', 'kind', 'createdAt'], of: 'topology' },
  queues: {
    path: filtered('/api/queues'),
    columns: [
      'topology',
      'node',
      'pending',
      'inFlight',
      'delayed',
      'replies',
      'ratePerSecond',
      'oldestMs',
      'pausedReason',
    ],
    of: 'either',
  },
  runs: {
    path: filtered('/api/runs'),
    columns: ['id', 'topology', 'state', 'startedAt', 'finishedAt', 'messages'],
    of: 'either',
  },
  trash: {
    path: filtered('/api/trash'),
    columns: ['id', 'topology', 'node', 'state', 'error', 'createdAt'],
    of: 'either',
  },
  workers: { path: whole('/api/workers'), columns: ['name', 'dialect', 'urls', 'instances'], of: 'all' },
  services: { path: whole('/api/services'), columns: ['name', 'limits', 'maxInFlight'], of: 'all' },
  tokens: {
    path: whole('/api/tokens'),
    columns: ['id', 'name', 'scopes', 'topologyId', 'expiresAt', 'lastUsedAt'],
    of: 'all',
  },
  audit: {
    path: filtered('/api/audit'),
    columns: ['at', 'who', 'action', 'target', 'after', 'address'],
    of: 'either',
    filters: ['who', 'action', 'since', 'until'],
  },
} as const satisfies Record<string, Kind>

const names = Object.keys(kinds) as (keyof typeof kinds)[]

export function define(command: Command): void {
  command
    .addArgument(new Argument('<kind>', `what to list: ${names.join(', ')}`).argParser(kindOf))
    .argument('[topology]', 'name or id of the topology (nodes, revisions; optional for runs, trash, queues, audit)')
    .option('--limit <n>', 'how many at most (default 50)', wholeNumber('--limit', 1, 100_000), 50)
    .option('--who <token>', 'audit: name or id of a token')
    .option('--action <operation>', 'audit: what was done, such as publishTopology')
    .option('--since <time>', 'audit: at that time or later, such as 2026-03-01T10:00:00Z')
    .option('--until <time>', 'audit: before that time')
    .action(async (kind: keyof typeof kinds, topology: string | undefined, flags: Flags) => {
      const chosen: Kind = kinds[kind]
      check(kind, chosen, topology, flags)
      const rows = await rowsOf(findEngine({ ...flags }), chosen, topology, flags)
      printList(rows, chosen.columns.map(columnOf), flags.output)
    })
  addOptions(addFormat(command), 'client')
}

function kindOf(text: string): keyof typeof kinds {
  const kind = names.find((name) => name === text)
  if (kind !== undefined) return kind
  throw new Invalid(
    `there is nothing called "${text}" to list${didYouMean(text, names)}; there are ${names.join(', ')}`,
  )
}

function check(name: string, { of, filters = [] }: Kind, topology: string | undefined, flags: Flags): void {
  if (of === 'topology' && topology === undefined)
    throw new Invalid(`${name} are listed for one topology: sluice get ${name} TOPOLOGY`)
  if (of === 'all' && topology !== undefined) throw new Invalid(`${name} aren't listed by topology: sluice get ${name}`)
  const foreign = filterNames.find((filter) => flags[filter] !== undefined && !filters.includes(filter))
  if (foreign !== undefined) throw new Invalid(`--${foreign} says nothing of ${name}: it narrows audit`)
}

function rowsOf(engine: Engine, { path }: Kind, topology: string | undefined, flags: Flags): Promise<Row[]> {
  const { who, action, since, until } = flags
  const base = path(topology)
  const query = queryOf({ who, action, since, until })
  return engine.list<Row>(base + (base.includes('?') ? query.replace('?', '&') : query), flags.limit)
}

function columnOf(name: string): Column<Row> {
  const heading = name.replace(/[A-Z]/g, (letter) => ` ${letter}`).toUpperCase()
  return [heading, (row) => (cells[name] ?? same)(row[name])]
}

const same = (value: unknown): unknown => value
const joined = (value: unknown): unknown => (Array.isArray(value) ? value.join(', ') : value)

/** How a value that is more than a word is shown in a table. */
const cells: Readonly<Record<string, (value: unknown) => unknown>> = {
  urls: joined,
  scopes: joined,
  followers: (value) => (value as readonly { name: string }[]).map(({ name }) => name).join(', '),
  instances: (value) => instancesText(value as Parameters<typeof instancesText>[0]),
  breaker: (value) => (value as { state: string } | null)?.state ?? null,
  target: (value) => targetText(value as { kind: string; id: string; name: string | null }),
  error: (value) => (value as { title: string }).title,
  messages: (value) => messagesText(value as Run['messages']),
  limits: (value) =>
    (value as readonly { rate: number; per: string }[]).map(({ rate, per }) => `${rate}/${per}`).join(', '),
}

function targetText({ kind, id, name }: { kind: string; id: string; name: string | null }): string {
  return `${kind} ${name ?? id}`
}
