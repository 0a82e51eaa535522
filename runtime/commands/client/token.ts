import { Option } from 'commander'
import type { Command } from 'commander'
import { segment } from '../../client/engine.ts'
import { Invalid } from '../../errors.ts'
import { didYouMean } from '../../topology/suggest.ts'
import { addOptions, wholeNumber } from '../define.ts'
import { addFormat, printJson, printList } from '../terminal/print.ts'
import type { Format } from '../terminal/print.ts'
import { expiry } from './expiry.ts'
import { findEngine } from './find.ts'

interface Flags extends Record<string, unknown> {
  readonly scope: readonly string[]
  readonly topology?: string
  readonly expires?: string
  readonly output: Format
}

const scopes = ['read', 'payload', 'run', 'operate', 'design', 'admin']

export function define(command: Command): void {
  const create = command
    .command('create')
    .description('make a token; it is printed this once')
    .argument('<name>', 'whose it is, or what for; the audit log names it')
    .addOption(new Option('--scope <scopes...>', scopes.join(', ')).argParser(gatherScopes).makeOptionMandatory())
    .option('--topology <topology>', 'good for this topology only')
    .option('--expires <time>', 'until when, or for how long: 2027-01-01T00:00:00Z, 12h, 30d', expiry('--expires'))
    .action(createToken)
  addOptions(addFormat(create), 'client')
  const list = command
    .command('list')
    .description('all tokens, never their text')
    .option('--limit <n>', 'how many at most (default 500)', wholeNumber('--limit', 1, 100_000), 500)
    .action(listTokens)
  addOptions(addFormat(list), 'client')
  const remove = command
    .command('delete')
    .alias('remove')
    .description('make a token useless, at once, and end its logins')
    .argument('<id>', 'as `sluice token list` shows it')
    .action(async (id: string, flags: Flags) => {
      await findEngine(flags).send('DELETE', `/api/tokens/${segment(id)}`)
      console.log(`token ${id} is deleted`)
    })
  addOptions(remove, 'client')
}

/** For commander: `read design`, `read,design`, or the flag twice. */
export function gatherScopes(text: string, before: readonly string[] | undefined): readonly string[] {
  const given = text.split(',').filter((scope) => scope !== '')
  const unknown = given.find((scope) => !scopes.includes(scope))
  if (unknown !== undefined)
    throw new Invalid(`there is no scope "${unknown}"${didYouMean(unknown, scopes)}; there are ${scopes.join(', ')}`)
  return [...(before ?? []), ...given]
}

async function createToken(name: string, flags: Flags): Promise<void> {
  const { scope, topology, expires: expiresAt, output } = flags
  const body = { name, scopes: scope, topology, expiresAt }
  const made = (await findEngine(flags).send<{ token: string }>('POST', '/api/tokens', { body })).body
  if (output === 'json') printJson(made)
  else console.log(made.token)
}

type Row = Readonly<Record<string, unknown>>

async function listTokens(flags: Flags & { readonly limit: number }): Promise<void> {
  const rows = await findEngine(flags).list<Row>('/api/tokens', flags.limit)
  const columns = ['id', 'name', 'scopes', 'topologyId', 'expiresAt', 'lastUsedAt', 'createdAt']
  printList(
    rows,
    columns.map((name) => [
      name.replace(/[A-Z]/g, (letter) => ` ${letter}`).toUpperCase(),
      ({ [name]: value }) => (Array.isArray(value) ? value.join(', ') : value),
    ]),
    flags.output,
  )
}
