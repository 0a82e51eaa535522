import type { Command } from 'commander'
import { answerOf, ifMatch } from '../../../client/answer.ts'
import { addOptions, examples } from '../../define.ts'
import { findEngine } from '../find.ts'

/** `delete` and `rename`, by the command's name. */
export function define(command: Command): void {
  command.argument('<topology>', 'name or id')
  if (command.name() === 'rename') return defineRename(command)
  command.option('--force', 'also if it is published').action(async (topology: string, flags: { force?: boolean }) => {
    const params = {
      path: { topology },
      query: { force: flags.force === true ? ('true' as const) : ('false' as const) },
    }
    await findEngine({ ...flags }).DELETE('/api/topologies/{topology}', { params })
    console.log(`${topology} is deleted; its runs and its Trash stay`)
  })
  examples(addOptions(command, 'client'), [
    ['sluice delete orders', 'a draft'],
    ['sluice delete orders --force', 'a published topology, without messages on their way'],
  ])
}

function defineRename(command: Command): void {
  command
    .argument('<name>', 'the new one')
    .action(async (topology: string, name: string, flags: Record<string, unknown>) => {
      const engine = findEngine(flags)
      const params = { path: { topology } }
      const { data: before, etag } = await answerOf(engine.GET('/api/topologies/{topology}', { params }))
      const body = { ...before.document, name }
      await engine.PUT('/api/topologies/{topology}', { params, body, headers: ifMatch(etag) })
      console.log(`${before.name} is called ${name}; bridges and runs call it so after the next publish`)
    })
  examples(addOptions(command, 'client'), [['sluice rename orders shop-orders', 'it keeps its id, queues and runs']])
}
