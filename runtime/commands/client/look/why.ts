import type { Command } from 'commander'
import { dataOf } from '../../../client/answer.ts'
import type { Why } from '../../../client/openapi.d.ts'
import { addOptions, examples } from '../../define.ts'
import { addFormat, grouped, plain, printData, printList } from '../../terminal/print.ts'
import type { Format } from '../../terminal/print.ts'
import { findEngine } from '../find.ts'
import { nodeIdOf } from './node.ts'

export function define(command: Command): void {
  command
    .argument('<what>', 'TOPOLOGY/NODE')
    .action(async (what: string, flags: Record<string, unknown> & { output: Format }) => {
      const engine = findEngine(flags)
      const id = await nodeIdOf(engine, what)
      const why = await dataOf(engine.GET('/api/nodes/{id}/why', { params: { path: { id } } }))
      if (flags.output === 'table') show(why)
      else printData(why, flags.output)
    })
  examples(addOptions(addFormat(command), 'client'), [
    ['sluice why shop/store', 'what its messages wait for, and when it will be done'],
  ])
}

function show({ topology, node, pending, inFlight, delayed, replies, blockers, estimate, notes }: Why): void {
  const counts = { waiting: pending, held: inFlight, delayed, 'replies to split': replies }
  const texts = Object.entries(counts).map(([what, count]) => `${grouped(count)} ${what}`)
  console.log(`${topology}/${node}: ${texts.join(', ')}`)
  if (blockers.length > 0)
    printList(
      blockers,
      [
        ['COUNT', ({ count }) => grouped(count)],
        ['WHY', ({ kind }) => kind],
        ['WHAT', ({ of, text }) => `${of}: ${text}`],
        ['SINCE', ({ since }) => since],
        ['UNTIL', ({ until }) => until?.last ?? null],
      ],
      'table',
    )
  console.log(estimateText(estimate))
  for (const note of notes) console.log(`note: ${plain(note)}`)
}

function estimateText({ secondsLeft, ratePerSecond, by, reason }: Why['estimate']): string {
  if (secondsLeft === null) return `done: ${plain(reason ?? 'nobody knows')}`
  if (secondsLeft === 0) return 'nothing waits'
  if (by === 'declared') return `done in about ${grouped(secondsLeft)} s, by the limits of its service`
  return `done in about ${grouped(secondsLeft)} s, at ${ratePerSecond ?? '?'} messages a second`
}
