import { Option } from 'commander'
import type { Command } from 'commander'
import { addOptions, wholeNumber } from '../../define.ts'
import { addFormat, printList } from '../../terminal/print.ts'
import type { Format } from '../../terminal/print.ts'
import { findEngine } from '../find.ts'
import { preview } from './body.ts'
import { nodePath } from './node.ts'
import type { Peeked } from './shapes.ts'

interface Flags extends Record<string, unknown> {
  readonly limit: number
  readonly bytes: number
  readonly state?: string
  readonly output: Format
}

export function define(command: Command): void {
  command
    .argument('<node>', 'TOPOLOGY/NODE')
    .option('--limit <n>', 'how many at most', wholeNumber('--limit', 1, 100_000), 20)
    .option('--bytes <n>', 'how much of each body', wholeNumber('--bytes', 0, 8 * 1024 * 1024), 4096)
    .addOption(new Option('--state <state>', 'only these').choices(['waiting', 'held', 'delayed']))
    .addHelpText('after', '\nExample:\n  sluice peek shop/store --state delayed -o json')
    .action(async (place: string, flags: Flags) => {
      const engine = findEngine(flags)
      const state = flags.state === undefined ? '' : `&state=${flags.state}`
      const path = `${await nodePath(engine, place)}/peek?bytes=${flags.bytes}${state}`
      const rows = await engine.list<Peeked>(path, flags.limit)
      printList(
        rows,
        [
          ['SEQUENCE', (row) => row.sequence],
          ['STATE', ({ state, at }) => (at === null ? state : `${state} until ${at}`)],
          ['RUN', (row) => row.runId],
          ['KEY', (row) => row.key],
          ['ATTEMPT', (row) => row.attempt],
          ['SINCE', (row) => row.enqueuedAt],
          ['BYTES', (row) => row.size],
          ['BODY', preview],
        ],
        flags.output,
      )
    })
  addOptions(addFormat(command), 'client')
}
