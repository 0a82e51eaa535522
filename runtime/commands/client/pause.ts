import type { Command } from 'commander'
import { dataOf } from '../../client/answer.ts'
import { addOptions, examples } from '../define.ts'
import { findEngine, findNode, placeOf } from './find.ts'

/** `pause` and `resume`, by the command's name. */
export function define(command: Command): void {
  const paused = command.name() === 'pause'
  command
    .argument('<what>', 'TOPOLOGY or TOPOLOGY/NODE')
    .action(async (what: string, flags: Record<string, unknown>) => {
      const after = await setPaused(what, paused, flags)
      if (paused) return console.log(`${what} is paused: its messages stay queued`)
      console.log(after.paused ? `${what} is not paused by itself, but ${after.pausedReason}` : `${what} is resumed`)
    })
  examples(addOptions(command, 'client'), [
    [`sluice ${command.name()} orders`, 'the whole topology'],
    [`sluice ${command.name()} orders/store`, 'one of its nodes'],
  ])
}

async function setPaused(what: string, paused: boolean, flags: Record<string, unknown>) {
  const engine = findEngine(flags)
  const { topology, node } = placeOf(what)
  if (node === null)
    return dataOf(engine.PATCH('/api/topologies/{topology}', { params: { path: { topology } }, body: { paused } }))
  const { id } = await findNode(engine, topology, node)
  return dataOf(engine.PATCH('/api/nodes/{id}', { params: { path: { id } }, body: { paused } }))
}
