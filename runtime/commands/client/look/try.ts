import { Option } from 'commander'
import type { Command } from 'commander'
import { addOptions, wholeNumber } from '../../define.ts'
import { jsonOfFlag } from '../../terminal/input.ts'
import { addFormat, plain, printJson } from '../../terminal/print.ts'
import type { Format } from '../../terminal/print.ts'
import { findEngine } from '../find.ts'
import { preview } from './body.ts'
import { nodePath } from './node.ts'
import type { Trial } from './shapes.ts'

interface Flags extends Record<string, unknown> {
  readonly url?: string
  readonly token?: string
  /** Here the body of the message, not the data folder. */
  readonly data?: string
  readonly trash?: string
  readonly sequence?: number
  readonly tenant?: string
  readonly cursor?: string
  readonly settings?: string
  readonly of?: string
  readonly output: Format
}

export function define(command: Command): void {
  command
    .argument('<node>', 'TOPOLOGY/NODE')
    .option('--data <json>', 'body of the message: JSON, @file, or - for stdin')
    .option('--trash <id>', 'a message in Trash')
    .option('--sequence <n>', 'a message that `sluice peek` shows', wholeNumber('--sequence', 1, 1e15 - 1))
    .option('--tenant <tenant>', 'on whose behalf')
    .option('--cursor <cursor>', 'of the page, for batch nodes')
    .option('--settings <json>', "instead of the node's own: JSON, @file, or -")
    .addOption(new Option('--of <form>', 'which form of the node').choices(['published', 'draft']))
    .addHelpText('after', `\nExit code 1 when the message would be tried again, wait, or go to Trash.\n${examples}`)
    .action(tryIt)
  addOptions(addFormat(command), 'client', ['data'])
}

const examples = `
Examples:
  sluice try shop/store --data '{"id": 1}'
  sluice try shop/store --data @order.json --of draft
  sluice try shop/store --trash 8yXo1`

const goodKinds = ['forward', 'split', 'end']

async function tryIt(place: string, flags: Flags): Promise<void> {
  const { url, token, data, trash, sequence, tenant, cursor, settings, of, output } = flags
  const body = data === undefined ? undefined : jsonOfFlag('--data', data)
  const own = settings === undefined ? undefined : jsonOfFlag('--settings', settings)
  const engine = findEngine({ url, token })
  const path = `${await nodePath(engine, place)}/try${of === undefined ? '' : `?of=${of}`}`
  const given = { body, trash, sequence, tenant, cursor, settings: own }
  const { body: trial } = await engine.send<Trial>('POST', path, { body: given })
  if (output === 'json') printJson(trial)
  else show(trial)
  if (!goodKinds.includes(trial.verdict.kind)) process.exitCode = 1
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
