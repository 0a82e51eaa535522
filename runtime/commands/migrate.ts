import type { Command } from 'commander'
import { resolveOptions } from '../options.ts'
import { migrate } from '../store/migrate.ts'
import { addOptions, examples } from './define.ts'

export function define(command: Command): void {
  command.action(async (flags: Record<string, unknown>) => {
    const { postgresUrl } = resolveOptions('migrate', { flags }, ['postgresUrl'])
    const said: string[] = []
    await migrate(postgresUrl, (line) => void said.push(line))
    if (said.length === 0) said.push("the database has this version's schema already")
    console.log(said.join('\n'))
  })
  examples(addOptions(command, 'migrate'), [
    ['sluice migrate --postgres-url postgres://user:password@host/sluice', 'before a control of this version starts'],
  ])
}
