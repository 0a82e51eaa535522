import type { Command } from 'commander'
import { dataOf } from '../../client/answer.ts'
import { addOptions, examples } from '../define.ts'
import { findEngine } from './find.ts'

export function define(command: Command): void {
  command.argument('<run>', 'id of the run').action(async (run: string, flags: Record<string, unknown>) => {
    const engine = findEngine(flags)
    const { state, note } = await dataOf(engine.POST('/api/runs/{id}/cancel', { params: { path: { id: run } } }))
    console.log(`${run} is ${state === 'cancelled' ? 'cancelled' : 'being cancelled'}`)
    if (note !== null) console.log(note)
  })
  examples(addOptions(command, 'client'), [['sluice cancel 01K2X…', 'as `sluice get runs --state running` shows it']])
}
