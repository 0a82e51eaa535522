import { Option } from 'commander'
import type { Command } from 'commander'
import type { PeekedMessage } from '../../../client/openapi.d.ts'
import { addOptions, examples, wholeNumber } from '../../define.ts'
import { addFormat, printList } from '../../terminal/print.ts'
import type { Format } from '../../terminal/print.ts'
import { findEngine } from '../find.ts'
import { preview } from './body.ts'
import { nodeIdOf } from './node.ts'

interface Flags extends Record<string, unknown> {
  readonly limit: number
  readonly bytes: number
  readonly state?: PeekedMessage['state']
  readonly output: Format
}

const states = ['waiting', 'held', 'delayed'] as const satisfies PeekedMessage['state'][]

export function define(command: Command): void {
  command
    .argument('<what>', 'TOPOLOGY/NODE')
    .option('--limit <n>', 'how many at most', wholeNumber('--limit', 1, 100_000), 20)
    .option('--bytes <n>', 'how much of each body', wholeNumber('--bytes', 0, 8 * 1024 * 1024), 4096)
    .addOption(new Option('--state <state>', 'only these').choices(states))
    .action(async (what: string, flags: Flags) => {
      const engine = findEngine(flags)
      const { bytes, state, limit } = flags
      const params = { path: { id: await nodeIdOf(engine, what) }, query: { bytes, ...(state && { state }) } }
      const rows = await engine.list('/api/nodes/{id}/peek', params, limit)
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
  examples(addOptions(addFormat(command), 'client'), [
    ['sluice peek shop/store', 'the next messages in its queue'],
    ['sluice peek shop/store --state delayed -o json', 'those that are tried again later, for scripts'],
  ])
}
