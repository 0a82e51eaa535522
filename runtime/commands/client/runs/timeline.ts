import type { Command } from 'commander'
import { dataOf } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import type { MessageStep, MessageTimeline, NodePassages, RunTimeline } from '../../../client/openapi.d.ts'
import { addOptions, examples, wholeNumber } from '../../define.ts'
import { addFormat, grouped, plain, printData, printList } from '../../terminal/print.ts'
import type { Format } from '../../terminal/print.ts'
import { findEngine } from '../find.ts'
import { messagesText } from '../run.ts'
import { barOf, durationText } from './bar.ts'

interface Flags extends Record<string, unknown> {
  readonly message?: string
  readonly page?: number
  readonly output: Format
}

export function define(command: Command): void {
  command
    .argument('<run>', 'id of the run')
    .option('--message <id>', 'of one message; the first one has the id of its run')
    .option('--page <n>', 'with --message: from a page of its batch node on', wholeNumber('--page', 0, 999_999_999))
    .action(timeline)
  examples(addOptions(addFormat(command), 'client'), [
    ['sluice timeline 01K2X…', 'node by node: when, how many, how long'],
    ['sluice timeline 01K2X… --message 01K2X….7', 'what happened to one message'],
  ])
}

async function timeline(run: string, flags: Flags): Promise<void> {
  const engine = findEngine(flags)
  if (flags.message !== undefined) return message(engine, run, flags.message, flags)
  const found = await dataOf(engine.GET('/api/runs/{id}/timeline', { params: { path: { id: run } } }))
  if (flags.output === 'table') showRun(found)
  else printData(found, flags.output)
}

async function message(engine: Engine, run: string, id: string, { page = 0, output }: Flags): Promise<void> {
  const at = { path: { id: run, message: id }, query: { page } }
  const found = await dataOf(engine.GET('/api/runs/{id}/messages/{message}/timeline', { params: at }))
  if (output !== 'table') return printData(found, output)
  const split = found.steps.some(({ made }) => made !== null && made > 0)
  const query = { of: id, page, limit: childrenMax }
  const children = split
    ? await dataOf(engine.GET('/api/runs/{id}/messages', { params: { path: { id: run }, query } })).catch(() => null)
    : null
  showMessage(found)
  if (children === null) return
  console.log(`became ${grouped(children.total)} messages${children.next === null ? '' : ', of which the first are'}:`)
  const { items } = children
  printList(
    items,
    [
      ['ID', ({ id }) => id],
      ['NODE', ({ node }) => node],
      ['STATE', ({ state }) => state],
    ],
    'table',
  )
}

const childrenMax = 10

function showRun({ run, nodes, events, complete, since, reruns }: RunTimeline): void {
  console.log(`${run.id} of ${plain(run.topology)}: ${run.state} in ${durationText(run.durationMs)}`)
  console.log(messagesText(run.messages))
  if (run.rerunOf !== null) console.log(`a rerun of ${run.rerunOf}`)
  if (reruns.length > 0) console.log(`run again as ${reruns.join(', ')}`)
  const from = Date.parse(run.startedAt)
  const extent = { from, to: Math.max(from + run.durationMs, ...nodes.map(({ lastAt }) => Date.parse(lastAt))) }
  printList(
    nodes,
    [
      ['NODE', ({ node }) => node],
      ['WHEN', ({ firstAt, lastAt }) => barOf(extent, Date.parse(firstAt), Date.parse(lastAt))],
      ['FIRST', ({ firstAt }) => `+${durationText(Date.parse(firstAt) - from)}`],
      ['LAST', ({ lastAt }) => `+${durationText(Date.parse(lastAt) - from)}`],
      ['MESSAGES', ({ messages }) => countsText(messages)],
      ['CALLS', ({ calls }) => grouped(calls)],
      ['SUM OVER MESSAGES', ({ spent }) => spentText(spent)],
    ],
    'table',
  )
  for (const { at, kind, node, text } of events)
    console.log(`${at}  ${kind}${node ? ` at ${plain(node)}` : ''}  ${plain(text)}`)
  if (!complete)
    console.log(`single messages are kept since ${since ?? 'just now'}; what is above is kept with the run`)
}

const countsText = (messages: NodePassages['messages']): string =>
  Object.entries(messages)
    .filter(([, count]) => count !== 0)
    .map(([what, count]) => `${grouped(count)} ${what}`)
    .join(', ')

function spentText(spent: NonNullable<MessageStep['spent']>): string {
  const parts = Object.entries(spent).filter(([, ms]) => ms > 0)
  return parts.map(([what, ms]) => `${what.replace(/Ms$/, '')} ${durationText(ms)}`).join(', ')
}

function showMessage({ id, parent, parentPage, steps, nextPage, complete, since }: MessageTimeline): void {
  console.log(
    `${plain(id)}${parent === null ? '' : `, of ${plain(parent)}${parentPage > 0 ? `, page ${parentPage}` : ''}`}`,
  )
  const times = steps
    .flatMap(({ enteredAt, at }) => [enteredAt, at])
    .flatMap((at) => (at === null ? [] : [Date.parse(at)]))
  const extent = { from: Math.min(...times), to: Math.max(...times) }
  printList(
    steps,
    [
      [
        'NODE',
        ({ node, page, replay }) => `${node}${page > 0 ? ` page ${page}` : ''}${replay > 0 ? ` replay ${replay}` : ''}`,
      ],
      ['WHEN', ({ enteredAt, at }) => barOf(extent, timeOf(enteredAt ?? at), timeOf(at ?? enteredAt))],
      ['TOOK', ({ durationMs }) => (durationMs === null ? null : durationText(durationMs))],
      ['OF WHICH', ({ spent }) => (spent === null ? null : spentText(spent))],
      ['CALLS', ({ calls }) => calls],
      ['STATE', stateText],
    ],
    'table',
  )
  for (const { node, attempts } of steps)
    for (const { at, status, problem } of attempts)
      console.log(`${at}  failed at ${plain(node)}: ${status ?? 'no answer'} ${plain(problem.title)}`)
  if (nextPage !== null) console.log(`it goes on: --page ${nextPage}`)
  if (!complete) console.log(`not everything is kept: messages since ${since ?? 'just now'}, and Trash`)
}

const timeOf = (text: string | null): number => (text === null ? 0 : Date.parse(text))

function stateText({ state, made, dueAt, held, trash }: MessageStep): string {
  if (trash !== null) return `${state} ${trash.id}${trash.settled === null ? '' : `, ${trash.settled.as}`}`
  if (held !== null) return `${state}, ${held.kind}${held.reason === null ? '' : `: ${held.reason}`}`
  if (dueAt !== null) return `${state} until ${dueAt}`
  return made === null ? state : `${state} into ${grouped(made)}`
}
