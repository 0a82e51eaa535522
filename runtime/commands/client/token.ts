import type { Command } from 'commander'
import { addOptions } from '../define.ts'
import { segment } from '../../client/engine.ts'
import { findEngine } from './find.ts'

interface Flags extends Record<string, unknown> {
  readonly scope: readonly string[]
  readonly topology?: string
  readonly expires?: string
}

export function define(command: Command): void {
  const create = command
    .command('create')
    .description('make a token; it is printed this once')
    .argument('<name>', 'whose it is, or what for')
    .requiredOption('--scope <scopes...>', 'read, payload, run, operate, design, admin')
    .option('--topology <topology>', 'good for this topology only')
    .option('--expires <time>', 'until when, such as 2027-01-01T00:00:00Z')
    .action(async (name: string, flags: Flags) => {
      const { scope: scopes, topology, expires: expiresAt } = flags
      const body = { name, scopes, topology, expiresAt }
      console.log((await findEngine(flags).send<{ token: string }>('POST', '/api/tokens', { body })).body.token)
    })
  addOptions(create, 'client')
  const remove = command
    .command('remove')
    .description('make a token useless, at once')
    .argument('<id>', 'as `sluice get tokens` shows it')
    .action(async (id: string, flags: Flags) => {
      await findEngine(flags).send('DELETE', `/api/tokens/${segment(id)}`)
      console.log(`token ${id} is removed`)
    })
  addOptions(remove, 'client')
}
