import type { Command } from 'commander'
import { addOptions } from '../../define.ts'
import { addFormat, grouped, plain, printJson, printList } from '../../terminal/print.ts'
import type { Format } from '../../terminal/print.ts'
import { findEngine } from '../find.ts'
import { nodePath } from './node.ts'
import type { Why } from './shapes.ts'

export function define(command: Command): void {
  command
    .argument('<node>', 'TOPOLOGY/NODE')
    .addHelpText('after', '\nExample:\n  sluice why shop/store')
    .action(async (place: string, flags: Record<string, unknown> & { output: Format }) => {
      const engine = findEngine(flags)
      const why = await engine.get<Why>(`${await nodePath(engine, place)}/why`)
      if (flags.output === 'json') return printJson(why)
      show(why)
    })
  addOptions(addFormat(command), 'client')
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
        ['WHAT', ({ of, text }) => `${of} ${text}`],
        ['SINCE', ({ since }) => since],
        ['UNTIL', ({ until }) => until?.last ?? null],
      ],
      'table',
    )
  console.log(estimateText(estimate))
  for (const note of notes) console.log(`note: ${plain(note)}`)
}

function estimateText({ secondsLeft, ratePerSecond, reason }: Why['estimate']): string {
  if (secondsLeft === null) return `done: ${plain(reason ?? 'nobody knows')}`
  if (secondsLeft === 0) return 'nothing waits'
  return `done in about ${grouped(secondsLeft)} s, at ${ratePerSecond ?? '?'} messages a second`
}
