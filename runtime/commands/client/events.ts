import type { Command } from 'commander'
import { addOptions, examples } from '../define.ts'
import { plain } from '../terminal/print.ts'
import { findEngine } from './find.ts'

interface Flags extends Record<string, unknown> {
  readonly kind?: readonly string[]
  readonly after?: string
  readonly json?: boolean
}

export function define(command: Command): void {
  command
    .argument('[topology]', 'only what happens there')
    .option(
      '--kind <kinds...>',
      'only these: draft, plan, pause, worker, service, token, breaker, run, cursor, watermark, trash, bulk',
    )
    .option('--after <id>', 'begin after this event, of the last hour')
    .option('--json', 'a line of JSON for each')
    .action(watch)
  examples(addOptions(command, 'client'), [
    ['sluice events', 'what happens, until ^C'],
    ['sluice events orders --kind run trash --json', 'for scripts'],
  ])
}

async function watch(topology: string | undefined, flags: Flags): Promise<void> {
  const { kind: kinds, after, json } = flags
  for await (const event of findEngine(flags).events({ topology, kinds, after })) {
    if (json === true) console.log(JSON.stringify(event))
    else console.log(plain(`${event.id}  ${event.kind.padEnd(7)}  ${textOf(event.data)}`))
  }
}

function textOf(data: Readonly<Record<string, unknown>>): string {
  return Object.entries(data)
    .map(([key, value]) => `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')
}
