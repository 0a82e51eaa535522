import type { Command } from 'commander'
import { dataOf } from '../../client/answer.ts'
import type { Webhook, WebhookSecrets } from '../../client/openapi.d.ts'
import { Invalid } from '../../errors.ts'
import { addOptions, duration, examples } from '../define.ts'
import { textOfFlag } from '../terminal/input.ts'
import { addFormat, plain, printData } from '../terminal/print.ts'
import type { Format } from '../terminal/print.ts'
import { findEngine } from './find.ts'
import { nodeIdOf } from './look/node.ts'

interface Flags extends Record<string, unknown> {
  readonly output: Format
  /** Milliseconds. */
  readonly grace?: number
  readonly secret?: string
  readonly verifyToken?: string
}

const what = ['<what>', 'TOPOLOGY/NODE'] as const
const grace = ['--grace <time>', 'how long what was before is taken, too: 0s, 1h, 7d (default 1d)'] as const

export function define(command: Command): void {
  const show = command
    .command('show')
    .description('print the address of a webhook node, and what is to know of it')
    .argument(...what)
    .action(async (node: string, flags: Flags) => {
      const { engine, params } = await placeOf(node, flags)
      tell(await dataOf(engine.GET('/api/nodes/{id}/webhook', { params })), flags.output)
    })
  examples(addOptions(addFormat(show), 'client'), [['sluice webhook show shop/paid', 'who knows the address may send']])
  defineRotate(command.command('rotate'))
  defineSecret(command.command('secret'))
  const revoke = command
    .command('revoke')
    .description('make its addresses useless, at once')
    .argument(...what)
    .action(async (node: string, flags: Flags) => {
      const { engine, params } = await placeOf(node, flags)
      await engine.DELETE('/api/nodes/{id}/webhook', { params })
      console.log(`the addresses of ${node} are revoked; another one: sluice webhook rotate ${node}`)
    })
  examples(addOptions(revoke, 'client'), [['sluice webhook revoke shop/paid', 'when an address was leaked']])
}

function defineRotate(command: Command): void {
  command
    .description('give it another address')
    .argument(...what)
    .option(...grace, duration('--grace'))
    .action(async (node: string, flags: Flags) => {
      const { engine, params } = await placeOf(node, flags)
      const request = engine.POST('/api/nodes/{id}/webhook/rotate', { params, body: graceOf(flags) })
      tell(await dataOf(request), flags.output)
    })
  examples(addOptions(addFormat(command), 'client'), [
    ['sluice webhook rotate shop/paid', 'the address before is taken for a day more'],
    ['sluice webhook rotate shop/paid --grace 0s', 'not any more'],
  ])
}

function defineSecret(command: Command): void {
  command
    .description('set what signs its deliveries, or what proves handshakes')
    .argument(...what)
    .option('--secret <secret>', 'signs deliveries: @file, or - for stdin; empty: none')
    .option('--verify-token <token>', 'proves handshakes: @file, or - for stdin; empty: none')
    .option(...grace, duration('--grace'))
    .action(setSecrets)
  examples(addOptions(addFormat(command), 'client'), [
    ['sluice webhook secret shop/paid --secret @secret.txt', 'the one before signs for a day more'],
    ['sluice webhook secret shop/paid --verify-token -', 'from stdin'],
  ])
}

async function setSecrets(node: string, flags: Flags): Promise<void> {
  const { secret, verifyToken } = flags
  if (secret === undefined && verifyToken === undefined) throw new Invalid('say --secret, or --verify-token, or both')
  const body: WebhookSecrets = {
    ...(secret !== undefined && { secret: secretOf(secret) }),
    ...(verifyToken !== undefined && { verifyToken: secretOf(verifyToken) }),
    ...graceOf(flags),
  }
  const { engine, params } = await placeOf(node, flags)
  tell(await dataOf(engine.PUT('/api/nodes/{id}/webhook', { params, body })), flags.output)
}

/** Files end with a line break. Null: none. */
function secretOf(flag: string): string | null {
  return textOfFlag(flag).trim() || null
}

function graceOf({ grace: ms }: Flags): { graceSeconds?: number } {
  return ms === undefined ? {} : { graceSeconds: ms / 1_000 }
}

async function placeOf(node: string, flags: Flags) {
  const engine = findEngine(flags)
  return { engine, params: { path: { id: await nodeIdOf(engine, node) } } }
}

function tell(webhook: Webhook, output: Format): void {
  if (output !== 'table') return printData(webhook, output)
  const { url, previousUntil, previousSecretUntil, notes } = webhook
  console.log(plain(url ?? 'it has no address'))
  if (previousUntil !== null) console.log(`the address before is taken until ${previousUntil}`)
  if (previousSecretUntil !== null) console.log(`the secret before signs until ${previousSecretUntil}`)
  for (const note of notes) console.error(plain(note))
}
