import { Option } from 'commander'
import type { Command } from 'commander'
import { dataOf } from '../../client/answer.ts'
import type { TokenInput } from '../../client/openapi.d.ts'
import { addOptions, examples } from '../define.ts'
import { findEngine } from './find.ts'

interface Flags extends Record<string, unknown> {
  readonly scope: TokenInput['scopes']
  readonly topology?: string
  readonly expires?: string
}

const scopes = ['read', 'payload', 'run', 'operate', 'design', 'admin'] as const satisfies TokenInput['scopes']

export function define(command: Command): void {
  const create = command
    .command('create')
    .description('make a token; it is printed this once')
    .argument('<name>', 'whose it is, or what for')
    .addOption(new Option('--scope <scopes...>', 'what it allows').choices(scopes).makeOptionMandatory())
    .option('--topology <topology>', 'good for this topology only')
    .option('--expires <time>', 'until when, such as 2027-01-01T00:00:00Z')
    .action(createToken)
  examples(addOptions(create, 'client'), [
    ['sluice token create ci --scope read design', 'enough for `sluice apply --publish`'],
    ['sluice token create shop --scope run --topology orders', 'starts runs of one topology'],
  ])
  const remove = command
    .command('remove')
    .description('make a token useless, at once')
    .argument('<id>', 'as `sluice get tokens` shows it')
    .action(async (id: string, flags: Flags) => {
      await findEngine(flags).DELETE('/api/tokens/{id}', { params: { path: { id } } })
      console.log(`token ${id} is removed`)
    })
  examples(addOptions(remove, 'client'), [['sluice token remove 01K2X…', 'as `sluice get tokens` shows it']])
}

async function createToken(name: string, flags: Flags): Promise<void> {
  const { scope, topology, expires: expiresAt } = flags
  const body = { name, scopes: scope, ...(topology && { topology }), ...(expiresAt && { expiresAt }) }
  console.log((await dataOf(findEngine(flags).POST('/api/tokens', { body }))).token)
}
