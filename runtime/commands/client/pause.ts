import type { Command } from 'commander'
import { NotFound } from '../../errors.ts'
import { addOptions } from '../define.ts'
import { didYouMean } from '../../topology/suggest.ts'
import { segment } from '../../client/engine.ts'
import { findEngine } from './find.ts'
import type { Engine } from '../../client/engine.ts'
import type { Node } from '../../client/shapes.ts'

type Paused = Pick<Node, 'paused' | 'pausedReason'>

/** `pause` and `resume`, by the command's name. */
export function define(command: Command): void {
  const paused = command.name() === 'pause'
  command
    .argument('<what>', 'TOPOLOGY or TOPOLOGY/NODE')
    .action(async (what: string, flags: Record<string, unknown>) => {
      const [topology = '', node] = what.split('/')
      const engine = findEngine(flags)
      const path = await pathOf(engine, topology, node)
      const { body } = await engine.send<Paused>('PATCH', path, { body: { paused } })
      if (paused) return console.log(`${what} is paused: its messages stay queued`)
      console.log(body.paused ? `${what} is not paused by itself, but ${body.pausedReason}` : `${what} is resumed`)
    })
  addOptions(command, 'client')
}

async function pathOf(engine: Engine, topology: string, node: string | undefined): Promise<string> {
  const path = `/api/topologies/${segment(topology)}`
  if (node === undefined) return path
  const { items } = await engine.get<{ items: Node[] }>(`${path}/nodes`)
  const found = items.find(({ id, name }) => name === node || id === node)
  if (found) return `/api/nodes/${segment(found.id)}`
  const hint = didYouMean(
    node,
    items.map(({ name }) => name),
  )
  throw new NotFound(`the topology "${topology}" has no node "${node}"${hint}`)
}
