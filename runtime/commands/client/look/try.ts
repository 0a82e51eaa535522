import { Option } from 'commander'
import type { Command } from 'commander'
import { dataOf } from '../../../client/answer.ts'
import type { Trial, TryRequest } from '../../../client/openapi.d.ts'
import { addOptions, examples, wholeNumber } from '../../define.ts'
import { jsonOfFlag } from '../../terminal/input.ts'
import { addFormat, plain, printData } from '../../terminal/print.ts'
import type { Format } from '../../terminal/print.ts'
import { findEngine } from '../find.ts'
import { preview } from './body.ts'
import { nodeIdOf } from './node.ts'

interface Flags {
  readonly url?: string
  readonly token?: string
  /** Here the body of the message, not the data folder. */
  readonly data?: string
  readonly trash?: string
  readonly sequence?: number
  readonly tenant?: string
  readonly cursor?: string
  readonly watermark?: string
  readonly settings?: string
  readonly of?: Trial['of']
  readonly output: Format
}

/** The engine answers when the worker has, which may take as long as the time-out of the node. */
const waitMs = 600_000
const forms = ['published', 'draft'] as const satisfies Trial['of'][]
const goodKinds: readonly Trial['verdict']['kind'][] = ['forward', 'split', 'end']

export function define(command: Command): void {
  command
    .argument('<what>', 'TOPOLOGY/NODE')
    .option('--data <json>', 'body of the message: JSON, @file, or - for stdin')
    .option('--trash <id>', 'a message in Trash')
    .option('--sequence <n>', 'a message that `sluice peek` shows', wholeNumber('--sequence', 1, 1e15 - 1))
    .option('--tenant <tenant>', 'on whose behalf')
    .option('--cursor <cursor>', 'of the page, for batch nodes')
    .option('--watermark <watermark>', 'as a run would be handed it, for batch nodes')
    .option('--settings <json>', "instead of the node's own: JSON, @file, or -")
    .addOption(new Option('--of <form>', 'which form of the node').choices(forms))
    .addHelpText('after', '\nExit code 1 when the message would be tried again, wait, or go to Trash.')
    .action(tryIt)
  examples(addOptions(addFormat(command), 'client', ['data']), [
    [`sluice try shop/store --data '{"id": 1}'`, 'what its worker would make of this message'],
    ['sluice try shop/store --data @order.json --of draft', 'by the draft, from a file'],
    ['sluice try shop/store --trash 8yXo1', 'what failed, once more'],
  ])
}

async function tryIt(what: string, { url, token, of, output, ...flags }: Flags): Promise<void> {
  const body = requestOf(flags)
  const engine = findEngine({ url, token }, waitMs)
  const params = { path: { id: await nodeIdOf(engine, what) }, query: { ...(of && { of }) } }
  const trial = await dataOf(engine.POST('/api/nodes/{id}/try', { params, body }))
  if (output === 'table') show(trial)
  else printData(trial, output)
  if (!goodKinds.includes(trial.verdict.kind)) process.exitCode = 1
}

/** What is wrong with it is said before an engine is looked for. */
function requestOf({ data, trash, sequence, tenant, cursor, watermark, settings }: Omit<Flags, 'output'>): TryRequest {
  return {
    ...(data !== undefined && { body: jsonOfFlag('--data', data) }),
    ...(settings !== undefined && { settings: jsonOfFlag('--settings', settings) as Record<string, unknown> }),
    ...(trash !== undefined && { trash }),
    ...(sequence !== undefined && { sequence }),
    ...(tenant !== undefined && { tenant }),
    ...(cursor !== undefined && { cursor }),
    ...(watermark !== undefined && { watermark }),
  }
}

function show({ id, of, instance, request, result, reply, durationMs, verdict }: Trial): void {
  console.log(plain(`POST ${instance ?? '(no instance)'}${request.path} (${of}), as ${id}`))
  console.log(`  ${preview(request)}`)
  console.log(`${reply === null ? result : `status ${reply.status}`} after ${durationMs} ms`)
  if (reply !== null) console.log(`  ${preview(reply)}`)
  console.log(plain(`${verdict.kind}: ${verdict.text}`))
  const { problem, outputs, outputsTotal } = verdict
  if (problem !== null)
    console.log(plain(`  ${problem.title}${problem.detail === undefined ? '' : `: ${problem.detail}`}`))
  for (const output of outputs)
    console.log(plain(`  → ${output.followers.join(', ') || '(nobody)'}  ${preview(output)}`))
  if (outputsTotal > outputs.length) console.log(`  and ${outputsTotal - outputs.length} more`)
}
