import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { addOptions, wholeNumber } from '../../define.ts'
import { addFormat, plain } from '../../terminal/print.ts'
import type { Format } from '../../terminal/print.ts'
import type { Engine } from '../../../client/engine.ts'
import { findEngine } from '../find.ts'
import { preview } from './body.ts'
import { nodePath } from './node.ts'
import type { Message } from './shapes.ts'

interface Flags extends Record<string, unknown> {
  readonly count?: number
  readonly output: Format
}

interface Page {
  readonly items: readonly Message[]
  readonly next: string
}

const pollMs = 500
const pageSize = 100

export function define(command: Command): void {
  command
    .argument('<node>', 'TOPOLOGY/NODE')
    .option('--count <n>', 'end after so many', wholeNumber('--count', 1, 1_000_000))
    .addHelpText('after', '\nExample:\n  sluice tail shop/store -o json | jq .body')
    .action(async (place: string, flags: Flags) => {
      const engine = findEngine(flags)
      await follow(engine, `${await nodePath(engine, place)}/tail`, flags)
    })
  addOptions(addFormat(command), 'client')
}

/** One line for each message, as JSON or for people; until it is interrupted, or so many have come. */
async function follow(engine: Engine, path: string, { count = Infinity, output }: Flags): Promise<void> {
  let { next } = await engine.get<Page>(`${path}?limit=1`)
  for (let left = count; left > 0;) {
    const page = await engine.get<Page>(`${path}?limit=${Math.min(pageSize, left)}&after=${next}`)
    for (const message of page.items) console.log(output === 'json' ? JSON.stringify(message) : lineOf(message))
    left -= page.items.length
    next = page.next
    if (left > 0 && page.items.length < pageSize) await delay(pollMs)
    else if (left > 0) next = await skipped(engine, path)
  }
}

/** More comes than can be shown: goes on with what comes from now on, and says so. */
async function skipped(engine: Engine, path: string): Promise<string> {
  await delay(pollMs)
  process.stderr.write('more came than can be shown: some are left out\n')
  return (await engine.get<Page>(`${path}?limit=1`)).next
}

function lineOf(message: Message): string {
  const { enqueuedAt, runId, key, attempt } = message
  const more = [...(key === null ? [] : [`key ${key}`]), ...(attempt > 1 ? [`attempt ${attempt}`] : [])]
  return plain(`${enqueuedAt}  ${runId}  ${more.length > 0 ? `${more.join(', ')}  ` : ''}${preview(message)}`)
}
