import type { Command } from 'commander'
import { resolveOptions } from '../options.ts'
import { migrate } from '../store/migrate.ts'
import { addOptions } from './define.ts'

export function define(command: Command): void {
  command.action(async (flags: Record<string, unknown>) => {
    const { postgresUrl } = resolveOptions('migrate', { flags }, ['postgresUrl'])
    const said: string[] = []
    await migrate(postgresUrl, (line) => void said.push(line))
    console.log(said[0] ?? "the database has this version's schema already")
  })
  addOptions(command, 'migrate')
}
