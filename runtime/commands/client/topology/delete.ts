import type { Command } from 'commander'
import { answerOf, ifMatch } from '../../../client/answer.ts'
import { addOptions, examples } from '../../define.ts'
import { addWait } from '../files/wait.ts'
import type { WaitFlags } from '../files/wait.ts'
import { findEngine } from '../find.ts'
import { awaitGone, isThere } from './discard.ts'

interface Flags extends WaitFlags {
  readonly force?: boolean
}

/** `delete` and `rename`, by the command's name. */
export function define(command: Command): void {
  command.argument('<topology>', 'name or id')
  if (command.name() === 'rename') return defineRename(command)
  command
    .option('--force', 'also if it is published or has messages on their way: these settle as cancelled first')
    .action(deleteTopology)
  examples(addOptions(addWait(command, 'with --force: until it is gone'), 'client'), [
    ['sluice delete orders', 'a draft, without messages on their way'],
    ['sluice delete orders --force --wait', 'whatever it has: its messages are cancelled, then it is deleted'],
  ])
}

async function deleteTopology(topology: string, flags: Flags): Promise<void> {
  const engine = findEngine({ ...flags })
  const params = {
    path: { topology },
    query: { force: flags.force === true ? ('true' as const) : ('false' as const) },
  }
  const { response } = await engine.DELETE('/api/topologies/{topology}', { params })
  if (response.status === 202 && flags.wait === true) await awaitGone(engine, topology, flags)
  const isLeft = response.status === 202 && flags.wait !== true && (await isThere(engine, topology))
  if (isLeft) console.log(`${topology} is stopped: its messages settle as cancelled first, then it is deleted`)
  else console.log(`${topology} is deleted; its runs and its Trash stay`)
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
