import type { Command } from 'commander'
import { segment } from '../../client/engine.ts'
import { addOptions } from '../define.ts'
import { findEngine } from './find.ts'

export function define(command: Command): void {
  command.argument('<run>', 'id of the run').action(async (run: string, flags: Record<string, unknown>) => {
    const path = `/api/runs/${segment(run)}/cancel`
    const { body } = await findEngine(flags).send<{ state: string; note: string | null }>('POST', path)
    console.log(`${run} is ${body.state === 'cancelled' ? 'cancelled' : 'being cancelled'}`)
    if (body.note !== null) console.log(body.note)
  })
  addOptions(command, 'client')
}
