import type { Command } from 'commander'
import { dataOf } from '../../../client/answer.ts'
import { addOptions, examples, moment, wholeNumber } from '../../define.ts'
import { addFormat, printList } from '../../terminal/print.ts'
import type { Format } from '../../terminal/print.ts'
import { findEngine } from '../find.ts'

interface Flags extends Record<string, unknown> {
  readonly timezone?: string
  readonly count: number
  readonly from?: string
  readonly output: Format
}

export function define(command: Command): void {
  command
    .argument('<expression>', '5 or 6 fields, a word such as @hourly, or "@every 15m"')
    .option('--timezone <zone>', 'such as Europe/Prague (default UTC)')
    .option('--count <n>', 'how many firings', wholeNumber('--count', 1, 100), 5)
    .option('--from <time>', 'only those after that time (default: now)', moment('--from'))
    .action(async (expression: string, flags: Flags) => {
      const { timezone, count, from } = flags
      const query = { expression, count, ...(timezone && { timezone }), ...(from && { from }) }
      const { firings } = await dataOf(findEngine(flags).GET('/api/cron/preview', { params: { query } }))
      printList(
        firings,
        [
          ['AT', ({ at }) => at],
          ['LOCAL', ({ local }) => local],
        ],
        flags.output,
      )
    })
  examples(addOptions(addFormat(command), 'client'), [
    ['sluice cron "0 6 * * mon" --timezone Europe/Prague', 'when it would fire; nothing is stored'],
    ['sluice cron "30 2 * * *" --timezone Europe/Prague --from 2027-03-27T00:00:00Z', 'over a day of daylight saving'],
  ])
}
