import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { dataOf } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import type { PassedMessage, Tail } from '../../../client/openapi.d.ts'
import { yamlOf } from '../../../topology/yaml.ts'
import { addOptions, examples, wholeNumber } from '../../define.ts'
import { addFormat, plain } from '../../terminal/print.ts'
import type { Format } from '../../terminal/print.ts'
import { findEngine } from '../find.ts'
import { preview } from './body.ts'
import { nodeIdOf } from './node.ts'

interface Flags extends Record<string, unknown> {
  readonly count?: number
  readonly output: Format
}

const pollMs = 500
const pageSize = 100

export function define(command: Command): void {
  command
    .argument('<what>', 'TOPOLOGY/NODE')
    .option('--count <n>', 'end after so many', wholeNumber('--count', 1, 1_000_000))
    .action(async (what: string, flags: Flags) => {
      const engine = findEngine(flags)
      await follow(engine, await nodeIdOf(engine, what), flags)
    })
  examples(addOptions(addFormat(command), 'client'), [
    ['sluice tail shop/store', 'a line for each message that comes, until ^C'],
    ['sluice tail shop/store -o json | jq .body', 'a JSON object a line, for scripts'],
  ])
}

/** One line (or YAML document) for each message; until it is interrupted, or so many have come. */
async function follow(engine: Engine, id: string, { count = Infinity, output }: Flags): Promise<void> {
  let next = await placeOfNow(engine, id)
  for (let left = count; left > 0;) {
    const page = await pageAfter(engine, id, { limit: Math.min(pageSize, left), after: next })
    for (const message of page.items) print(message, output)
    left -= page.items.length
    next = page.next
    if (left > 0 && page.items.length < pageSize) await delay(pollMs)
    else if (left > 0) next = await skipped(engine, id)
  }
}

function pageAfter(engine: Engine, id: string, query: { limit: number; after?: string }): Promise<Tail> {
  return dataOf(engine.GET('/api/nodes/{id}/tail', { params: { path: { id }, query } }))
}

async function placeOfNow(engine: Engine, id: string): Promise<string> {
  return (await pageAfter(engine, id, { limit: 1 })).next
}

/** More comes than can be shown: goes on with what comes from now on, and says so. */
async function skipped(engine: Engine, id: string): Promise<string> {
  await delay(pollMs)
  process.stderr.write('more came than can be shown: some are left out\n')
  return placeOfNow(engine, id)
}

function print(message: PassedMessage, output: Format): void {
  if (output === 'json') console.log(JSON.stringify(message))
  else if (output === 'yaml') process.stdout.write(`---\n${yamlOf(message)}`)
  else console.log(lineOf(message))
}

function lineOf(message: PassedMessage): string {
  const { enqueuedAt, runId, key, attempt } = message
  const more = [...(key === null ? [] : [`key ${key}`]), ...(attempt > 1 ? [`attempt ${attempt}`] : [])]
  return plain(`${enqueuedAt}  ${runId}  ${more.length > 0 ? `${more.join(', ')}  ` : ''}${preview(message)}`)
}
