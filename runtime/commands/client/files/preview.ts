import { dataOf } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import type { CheckedDocument, LeavingNode, TopologyDocument as Sent } from '../../../client/openapi.d.ts'
import { isSame } from '../../../topology/files/difference.ts'
import { placed, refuse } from './checked.ts'
import { linesOf } from './difference.ts'
import type { Found } from './documents.ts'
import type { InFlight } from './in-flight.ts'
import type { Step } from './step.ts'

/** What `apply` would be asked to do. */
interface Planned {
  readonly engine: Engine
  readonly found: readonly Found[]
  /** One for each of them. */
  readonly steps: readonly Step[]
  /** Names of topologies that would be pruned. */
  readonly strays: readonly string[]
}

interface Flags {
  readonly publish?: boolean
  readonly inFlight?: InFlight
}

/**
 * Says what would change. With `publish` the engine says, too, what it would refuse: it knows values that are stored, what services allow
 * and which messages are on their way. Throws `Invalid` with every fault.
 */
export async function preview({ engine, found, steps, strays }: Planned, flags: Flags): Promise<void> {
  const checks = flags.publish === true ? await Promise.all(steps.map((step) => checkOf(engine, step))) : []
  refuse(found.flatMap((one, index) => placed(one, checks[index]?.errors ?? [])))
  for (const [index, step] of steps.entries()) {
    show(step)
    for (const leaver of checks[index]?.leaving ?? []) console.log(lineOf(leaver, flags.inFlight ?? 'refuse'))
  }
  for (const name of strays) console.log(`${name}: would be pruned, if it is empty`)
}

/** Null of a topology that isn't there: nothing is stored of it, and no message is on its way. */
async function checkOf(engine: Engine, { name, stored, document }: Step): Promise<CheckedDocument | null> {
  if (stored === null) return null
  const params = { path: { topology: name } }
  return dataOf(engine.POST('/api/topologies/{topology}/check', { params, body: document as Sent }))
}

function show({ name, stored, difference, kept }: Step): void {
  const isUnchanged = stored !== null && isSame(difference)
  console.log(`${name}: ${stored === null ? 'would be created' : isUnchanged ? 'unchanged' : 'would be changed'}`)
  for (const line of linesOf(difference)) console.log(line)
  for (const { node, key, value } of kept)
    console.log(`    node ${node} keeps ${key} ${JSON.stringify(value)}, which the document leaves out`)
}

const becomes: Readonly<Record<InFlight, string>> = {
  refuse: 'the publish would be refused: see --in-flight',
  drain: 'it leaves when they are done',
  trash: 'they go into Trash',
}

function lineOf({ node, waiting, inFlight }: LeavingNode, how: InFlight): string {
  return `    node ${node} goes while messages are on their way (${waiting} wait there, ${inFlight} in flight): ${becomes[how]}`
}
