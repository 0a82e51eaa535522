import { Argument, Option } from 'commander'
import type { Command } from 'commander'
import { dataOf } from '../../../client/answer.ts'
import type { Bulk, BulkMessage } from '../../../client/openapi.d.ts'
import { Invalid } from '../../../errors.ts'
import { addOptions, decimalNumber, examples, wholeNumber } from '../../define.ts'
import { findEngine } from '../find.ts'
import { addFormat, grouped, plain, printData, printList } from '../../terminal/print.ts'
import type { Format } from '../../terminal/print.ts'
import { addPatch, patchOf } from './filter.ts'
import type { PatchFlags } from './filter.ts'
import { addFilter, filterQuery } from '../trash/filter.ts'
import type { Filter } from '../trash/filter.ts'
import { acceptWarningsOption } from '../trash/settle.ts'
import { createBulk, followBulk, getBulk, isWell, lineOf } from './follow.ts'

type Action = Bulk['action']
type Flags = Record<string, unknown>

/** `sluice trash bulk`. */
export function defineBulk(command: Command): void {
  command.description('replay or discard many messages, carried out by the engine')
  defineCreate(command)
  defineLooks(command)
  const wish = (name: 'pause' | 'resume' | 'cancel', says: string) => {
    const made = command.command(name).description(says).argument('<id>')
    if (name === 'resume') made.option('--canary', 'of one that has stopped: with its canary again (default)')
    if (name === 'resume') made.option('--no-canary', 'without it')
    const action = (id: string, flags: Flags & { canary?: boolean }) => sayWish(name, id, flags)
    examples(addOptions(made.action(action), 'client'), [[`sluice trash bulk ${name} 01k2x…`, says]])
  }
  wish('pause', 'send nothing more for now; what is under way goes on')
  wish('resume', 'go on with one that was paused, or has stopped')
  wish('cancel', 'send nothing more; what was not sent stays open in Trash')
}

function defineCreate(command: Command): void {
  const create = command.command('create').description('begin one, over all open messages that the filters leave')
  addSet(create)
    .option('--canary', 'first one message, then five, then ever more (default for more than 10)')
    .option('--canary-steps <first,then>', 'the same with so many in its first two steps, such as 2,20', canarySteps)
    .option('--no-canary', 'all at once')
    .option('--rate <n>', 'at most so many a second', decimalNumber('--rate', 0.01, 10_000))
    .option('--stop-at <percent>', 'stop when more fail again', wholeNumber('--stop-at', 1, 100), 20)
    .option('--reason <text>', 'why, for those who come after')
    .option('--follow', 'wait until it is over; exit code 1 unless all went well')
    .action(createOne)
  examples(addOptions(create, 'client'), [
    ['sluice trash bulk create replay --topology orders --fingerprint 9f86d081884c7d65 --follow', 'what failed alike'],
    [
      `sluice trash bulk create replay --topology orders --node store --merge '{"country":"DE"}'`,
      'with a field that was missing',
    ],
    ['sluice trash bulk create discard --run 01k2x… --reason "a test run"', 'give them up'],
  ])
  const preview = command.command('preview').description('see what a bulk would do, on samples; changes nothing')
  addSet(preview).action(previewBulk)
  examples(addOptions(addFormat(preview), 'client'), [
    ['sluice trash bulk preview replay --topology orders --patch @mend.json', 'before it is done'],
  ])
}

/** Which messages, and how they are sent. */
function addSet(command: Command): Command {
  command.addArgument(actionArgument()).argument('[ids...]', 'only these, as `sluice trash list` shows them')
  return acceptWarningsOption(addPatch(addFilter(command)), 'of a replay: ')
}

/** For commander. */
function canarySteps(text: string): { first: number; five: number } {
  const [, first, five] = /^(\d{1,9}),(\d{1,9})$/.exec(text) ?? []
  if (first === undefined || five === undefined)
    throw new Invalid(`--canary-steps takes two numbers such as 2,20; found "${text}"`)
  return { first: Number(first), five: Number(five) }
}

function defineLooks(command: Command): void {
  const list = command.command('list').description('list bulks, the newest first').action(listBulks)
  list.option('--topology <topology>', 'name or id').option('--state <state>', 'such as running or stopped')
  list.option('--limit <n>', 'how many at most', wholeNumber('--limit', 1, 10_000), 50)
  examples(addOptions(addFormat(list), 'client'), [['sluice trash bulk list --state running,stopped', 'what goes on']])
  const show = command.command('show').description('show how a bulk goes, and what became of its messages')
  show.argument('<id>').addOption(outcomeOption()).action(showBulk)
  show.option('--limit <n>', 'how many messages at most', wholeNumber('--limit', 1, 100_000), 20)
  show.option('--follow', 'wait until it is over; exit code 1 unless all went well')
  examples(addOptions(addFormat(show), 'client'), [
    ['sluice trash bulk show 01k2x… --outcome failedAgain', 'which failed again, and as what'],
  ])
}

const actionArgument = () => new Argument('<action>', 'what is done with them').choices(['replay', 'discard'])

function outcomeOption(): Option {
  const outcomes = [
    ...['waiting', 'underWay', 'done', 'failedAgain', 'refused', 'discarded', 'cancelled'],
  ] as const satisfies readonly string[]
  return new Option('--outcome <outcome>', 'only messages of which this became').choices([...outcomes])
}

type SetFlags = Filter & PatchFlags & { acceptWarnings?: boolean }
type CreateFlags = SetFlags & {
  canary?: boolean
  canarySteps?: ReturnType<typeof canarySteps>
  rate?: number
  stopAt: number
  reason?: string
  follow?: boolean
}

function wantedOf(action: Action, ids: readonly string[], flags: SetFlags) {
  const filter = { ...filterQuery(flags), ...(ids.length > 0 && { ids: [...ids] }) }
  if (Object.keys(filter).length === 0)
    throw new Invalid(`say which: ids of messages, or filters such as --topology or --run`)
  return { action, filter, ...patchOf(flags), ...(flags.acceptWarnings === true && { acceptWarnings: true }) }
}

async function createOne(action: Action, ids: readonly string[], flags: CreateFlags): Promise<void> {
  const { canarySteps: steps, rate, stopAt, reason, follow } = flags
  const canary = flags.canary === false ? false : (steps ?? flags.canary)
  const wanted = wantedOf(action, ids, flags)
  const engine = findEngine(flags)
  const made = await createBulk(engine, {
    ...wanted,
    ...(canary !== undefined && action === 'replay' && { canary }),
    ...(rate !== undefined && { ratePerSecond: rate }),
    stopAtFailedPercent: stopAt,
    ...(reason !== undefined && { reason }),
  })
  console.log(made.id)
  if (follow === true && !isWell(await followBulk(engine, made.id))) process.exitCode = 1
}

async function previewBulk(
  action: Action,
  ids: readonly string[],
  flags: SetFlags & { output: Format },
): Promise<void> {
  const body = wantedOf(action, ids, flags)
  const preview = await dataOf(findEngine(flags).POST('/api/trash/bulk/preview', { body }))
  if (flags.output !== 'table') return printData(preview, flags.output)
  console.log(`${grouped(preview.count)} messages; ${preview.samples.length} of them:`)
  for (const { id, difference, faults } of preview.samples) {
    console.log(plain(id))
    for (const { path, before, after } of difference)
      console.log(plain(`  ${path === '' ? 'the body' : path}: ${shown(before)} → ${shown(after)}`))
    for (const fault of faults) console.log(plain(`  would be refused: ${fault}`))
  }
}

const shown = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 200))

async function listBulks(flags: Flags & { topology?: string; state?: string; limit: number; output: Format }) {
  const { topology, state, limit, output } = flags
  const query = { ...(topology !== undefined && { topology }), ...(state !== undefined && { state }) }
  const rows: Bulk[] = await findEngine(flags).list('/api/trash/bulk', { query }, limit)
  printList(
    rows,
    [
      ['ID', (row) => row.id],
      ['ACTION', (row) => row.action],
      ['TOPOLOGY', (row) => row.topology ?? ''],
      ['BY', (row) => row.by],
      ['AT', (row) => row.createdAt],
      ['STATE', (row) => lineOf(row)],
    ],
    output,
  )
}

type ShowFlags = Flags & { outcome?: BulkMessage['outcome']; limit: number; follow?: boolean; output: Format }

async function showBulk(id: string, flags: ShowFlags): Promise<void> {
  const { outcome, limit, follow, output } = flags
  const engine = findEngine(flags)
  const bulk = follow === true ? await followBulk(engine, id) : await getBulk(engine, id)
  if (follow === true && !isWell(bulk)) process.exitCode = 1
  const asked = { params: { id }, query: outcome === undefined ? {} : { outcome } }
  const messages: BulkMessage[] = await messagesOf(engine, asked, limit)
  if (output !== 'table') return printData({ ...bulk, items: messages }, output)
  if (follow !== true) console.log(lineOf(bulk))
  printList(
    messages,
    [
      ['N', (row) => row.position],
      ['MESSAGE', (row) => row.trashId],
      ['OUTCOME', (row) => row.outcome],
      ['WHY', ({ why, error, againId }) => why ?? (error === null ? '' : `${error.title} (${againId})`)],
    ],
    output,
  )
}

type Engine = ReturnType<typeof findEngine>

async function messagesOf(
  engine: Engine,
  { params, query }: { params: { id: string }; query: { outcome?: BulkMessage['outcome'] } },
  limit: number,
): Promise<BulkMessage[]> {
  const found: BulkMessage[] = []
  let after: string | null = null
  do {
    const page: { items: BulkMessage[]; next: string | null } = await dataOf(
      engine.GET('/api/trash/bulk/{id}/messages', {
        params: {
          path: params,
          query: { ...query, limit: Math.min(500, limit - found.length), ...(after !== null && { after }) },
        },
      }),
    )
    found.push(...page.items)
    after = page.next
  } while (after !== null && found.length < limit)
  return found
}

async function sayWish(name: 'pause' | 'resume' | 'cancel', id: string, flags: Flags & { canary?: boolean }) {
  const engine = findEngine(flags)
  const params = { path: { id } }
  const { canary } = flags
  const bulk =
    name === 'pause'
      ? await dataOf(engine.POST('/api/trash/bulk/{id}/pause', { params }))
      : name === 'cancel'
        ? await dataOf(engine.POST('/api/trash/bulk/{id}/cancel', { params }))
        : await dataOf(
            engine.POST('/api/trash/bulk/{id}/resume', { params, body: canary === undefined ? {} : { canary } }),
          )
  console.log(lineOf(bulk))
}
