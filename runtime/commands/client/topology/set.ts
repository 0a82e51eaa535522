import type { Command } from 'commander'
import { answerOf, dataOf, ifMatch } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import type { NodePatch, TopologyPatch } from '../../../client/openapi.d.ts'
import { Invalid } from '../../../errors.ts'
import { addOptions, examples } from '../../define.ts'
import { findEngine, findNode, placeOf } from '../find.ts'
import { republishTopology, republishedText } from './publish.ts'
import { nodePatchOf, topologyValuesOf } from './values.ts'
import type { TopologyValues } from './values.ts'

interface Flags extends Record<string, unknown> {
  readonly republish?: boolean
}

/** `set`, `enable` and `disable`, by the command's name. */
export function define(command: Command): void {
  const name = command.name()
  if (name === 'set') return defineSet(command)
  command.argument('<what>', 'TOPOLOGY or TOPOLOGY/NODE').action(async (what: string, flags: Flags) => {
    await change(findEngine(flags), what, [`enabled=${name === 'enable'}`])
    console.log(`${what} ${name === 'enable' ? 'takes starts' : 'refuses starts; what is queued is finished'}`)
  })
  examples(addOptions(command, 'client'), [
    [`sluice ${name} orders`, 'all starts of the topology'],
    [`sluice ${name} orders/nightly`, 'those of one event node'],
  ])
}

function defineSet(command: Command): void {
  command
    .argument('<what>', 'TOPOLOGY or TOPOLOGY/NODE')
    .argument('<values...>', 'KEY=VALUE; KEY= takes it back to what the document says')
    .option('--republish', 'bring it to the bridges at once')
    .action(set)
  examples(addOptions(command, 'client'), [
    ['sluice set orders/store prefetch=5 timeoutMs=60000 --republish', 'values of a node, in force at once'],
    ['sluice set orders/store retry.attempts=3 retry.on=timeout,status:5xx', 'in force with the next republish'],
    ['sluice set orders/store timeoutMs=', 'back to what the document says'],
    [`sluice set orders description='New orders' labels.team=shop`, 'of the topology itself'],
  ])
}

async function set(what: string, values: readonly string[], flags: Flags): Promise<void> {
  const { topology, node } = placeOf(what)
  if (node === null && flags.republish === true)
    throw new Invalid('--republish is about values of nodes: sluice set TOPOLOGY/NODE KEY=VALUE --republish')
  const engine = findEngine(flags)
  await change(engine, what, values)
  console.log(
    `${what} is changed${node === null || flags.republish === true ? '' : `; bridges go by it after: sluice republish ${topology}`}`,
  )
  if (flags.republish === true) console.log(republishedText(topology, await republishTopology(engine, topology)))
}

async function change(engine: Engine, what: string, values: readonly string[]): Promise<void> {
  const { topology, node } = placeOf(what)
  if (node === null) return changeTopology(engine, topology, topologyValuesOf(values))
  const body: NodePatch = nodePatchOf(values)
  const { id } = await findNode(engine, topology, node)
  await engine.PATCH('/api/nodes/{id}', { params: { path: { id } }, body })
}

/** Labels are replaced as a whole by the API: so those that are there are read, and nobody else may change them meanwhile. */
async function changeTopology(engine: Engine, topology: string, { labels, ...values }: TopologyValues): Promise<void> {
  const params = { path: { topology } }
  const body: TopologyPatch = values
  if (labels.size === 0) return void (await dataOf(engine.PATCH('/api/topologies/{topology}', { params, body })))
  const { data: before, etag } = await answerOf(engine.GET('/api/topologies/{topology}', { params }))
  const after = new Map<string, string | null>([...Object.entries(before.labels), ...labels])
  const kept = [...after].filter((entry): entry is [string, string] => entry[1] !== null)
  await engine.PATCH('/api/topologies/{topology}', {
    params,
    body: { ...body, labels: Object.fromEntries(kept) },
    headers: ifMatch(etag),
  })
}
