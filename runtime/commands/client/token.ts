import { Option } from 'commander'
import type { Command } from 'commander'
import { dataOf } from '../../client/answer.ts'
import type { TokenInput } from '../../client/openapi.d.ts'
import { Invalid } from '../../errors.ts'
import { didYouMean } from '../../topology/suggest.ts'
import { addOptions, examples, wholeNumber } from '../define.ts'
import { addFormat, printData, printList } from '../terminal/print.ts'
import type { Format } from '../terminal/print.ts'
import { expiry } from './expiry.ts'
import { findEngine } from './find.ts'
import { columnOf } from './get/cells.ts'

interface Flags extends Record<string, unknown> {
  readonly scope: TokenInput['scopes']
  readonly topology?: string
  readonly expires?: string
  readonly output: Format
}

const scopes = ['read', 'payload', 'run', 'operate', 'design', 'admin'] as const satisfies TokenInput['scopes']

export function define(command: Command): void {
  defineCreate(command.command('create'))
  const list = command
    .command('list')
    .description('all tokens, never their text')
    .option('--limit <n>', 'how many at most (default 500)', wholeNumber('--limit', 1, 100_000), 500)
    .action(listTokens)
  examples(addOptions(addFormat(list), 'client'), [['sluice token list', 'with scopes, topology, expiry and last use']])
  const remove = command
    .command('delete')
    .alias('remove')
    .description('make a token useless, at once, and end its logins')
    .argument('<id>', 'as `sluice token list` shows it')
    .action(async (id: string, flags: Flags) => {
      await findEngine(flags).DELETE('/api/tokens/{id}', { params: { path: { id } } })
      console.log(`token ${id} is deleted`)
    })
  examples(addOptions(remove, 'client'), [['sluice token delete 01K2X…', 'as `sluice token list` shows it']])
}

function defineCreate(command: Command): void {
  command
    .description('make a token; it is printed this once')
    .argument('<name>', 'whose it is, or what for; the audit log names it')
    .addOption(
      new Option('--scope <scopes...>', 'what it allows').choices(scopes).argParser(gatherScopes).makeOptionMandatory(),
    )
    .option('--topology <topology>', 'good for this topology only')
    .option('--expires <time>', 'until when, or for how long: 2027-01-01T00:00:00Z, 12h, 30d', expiry('--expires'))
    .action(createToken)
  examples(addOptions(addFormat(command), 'client'), [
    ['sluice token create ci --scope read design --expires 30d', 'enough for `sluice apply --publish`, for a month'],
    ['sluice token create shop --scope run --topology orders', 'starts runs of one topology'],
  ])
}

/** For commander: `read design`, `read,design`, or the flag twice. */
function gatherScopes(text: string, before: TokenInput['scopes'] | undefined): TokenInput['scopes'] {
  const given = text.split(',').filter((scope) => scope !== '')
  return [...(before ?? []), ...given.map(scopeOf)]
}

function scopeOf(text: string): TokenInput['scopes'][number] {
  const scope = scopes.find((each) => each === text)
  if (scope !== undefined) return scope
  throw new Invalid(`there is no scope "${text}"${didYouMean(text, scopes)}; there are ${scopes.join(', ')}`)
}

async function createToken(name: string, flags: Flags): Promise<void> {
  const { scope, topology, expires: expiresAt, output } = flags
  const body = { name, scopes: scope, ...(topology && { topology }), ...(expiresAt && { expiresAt }) }
  const made = await dataOf(findEngine(flags).POST('/api/tokens', { body }))
  if (output === 'table') console.log(made.token)
  else printData(made, output)
}

async function listTokens(flags: Flags & { readonly limit: number }): Promise<void> {
  const rows = await findEngine(flags).list('/api/tokens', {}, flags.limit)
  const columns = ['id', 'name', 'scopes', 'topologyId', 'expiresAt', 'lastUsedAt', 'createdAt']
  printList(rows, columns.map(columnOf), flags.output)
}
