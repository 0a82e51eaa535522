import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { dataOf, ifMatch } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import type { Topology, TopologyDocument as Sent } from '../../../client/openapi.d.ts'
import { Conflict, Invalid, LostRace, Unavailable, textOf } from '../../../errors.ts'
import { isSame } from '../../../topology/files/difference.ts'
import type { TopologyDocument } from '../../../topology/schema.ts'
import { addOptions, examples, gather } from '../../define.ts'
import { forEach } from '../../terminal/print.ts'
import { readChecked } from './checked.ts'
import { inFlightOption } from './in-flight.ts'
import type { InFlight } from './in-flight.ts'
import { ownerFault, setLabel, setName } from './owner.ts'
import { preview } from './preview.ts'
import { prune, straysOf } from './prune.ts'
import { stepFor } from './step.ts'
import type { Step } from './step.ts'
import { addWait, awaitApplied } from './wait.ts'
import type { WaitFlags } from './wait.ts'

interface Flags extends Record<string, unknown>, WaitFlags {
  readonly file: readonly string[]
  readonly publish?: boolean
  readonly inFlight?: InFlight
  readonly dryRun?: boolean
  readonly set?: string
  readonly prune?: boolean
}

export function define(command: Command): void {
  command
    .requiredOption('-f, --file <file>', 'file or folder of topology documents, YAML or JSON; - for stdin', gather)
    .option('--publish', 'publish what was applied')
    .addOption(inFlightOption('with --publish: what to do with nodes that go away while messages may come to them'))
    .option('--dry-run', 'only say what would change')
    .option('--set <name>', `mark what is applied as one of this set (label ${setLabel})`, setName)
    .option('--prune', 'delete what is of the set and in none of the files any more, if it is empty')
    .action(apply)
  addOptions(addWait(command), 'client')
  examples(command, [
    ['sluice apply -f topologies --dry-run', 'what would change, of all files of a folder'],
    ['sluice apply -f topologies --publish --wait', 'and make it run; from CI'],
    ['sluice apply -f topologies --set shop --prune --publish', 'and delete what is not there any more'],
    ['sluice get topology orders -o yaml | sluice apply -f -', 'changes nothing'],
  ])
}

async function apply(flags: Flags): Promise<void> {
  if (flags.prune === true && flags.set === undefined)
    throw new Invalid('--prune deletes what is of a set: say which with --set NAME, as when it was applied')
  if (flags.wait === true && flags.publish !== true) throw new Invalid('--wait waits for what --publish publishes')
  const { engine, found } = await readChecked(flags)
  const steps = await Promise.all(found.map(({ document }) => stepFor(engine, document, flags.set)))
  checkOwners(steps, flags.set)
  const strays =
    flags.prune === true ? await straysOf(engine, flags.set ?? '', new Set(steps.map(({ name }) => name))) : []
  if (flags.dryRun === true) return preview({ engine, found, steps, strays }, flags)
  const done = await forEach(steps, (step) => carryOut(engine, step, flags))
  if (done.length < steps.length) return
  for (const name of await forEach(strays, (name) => pruneOne(engine, name, flags.set ?? '')))
    console.log(`${name}: pruned`)
}

async function pruneOne(engine: Engine, name: string, set: string): Promise<string> {
  await prune(engine, name, set)
  return name
}

function checkOwners(steps: readonly Step[], set: string | undefined): void {
  const faults = steps.flatMap(({ document, stored }) => ownerFault(document, stored?.data ?? null, set) ?? [])
  if (faults.length > 0) throw new Conflict(faults.join('\n'))
}

async function carryOut(
  engine: Engine,
  planned: Step,
  { publish, inFlight = 'refuse', ...flags }: Flags,
): Promise<void> {
  const { done, step } = await saveOver(engine, planned, flags.set)
  if (publish !== true) return console.log(`${step.name}: ${done}`)
  const { revision } = await publishDraft(engine, step.name, inFlight)
  const before = step.stored?.data
  const isSameRevision = before?.visibility === 'public' && before.revision === revision
  console.log(
    `${step.name}: ${done}, ${isSameRevision ? `revision ${revision} is published already` : `published as revision ${revision}`}`,
  )
  if (flags.wait === true) await awaitApplied(engine, step.name, flags)
}

/** Creates the topology or replaces its draft, and publishes it; says in one line what it did. Idempotent. */
export async function applyTopology(engine: Engine, document: TopologyDocument): Promise<string> {
  const { done } = await saveOver(engine, await stepFor(engine, document, undefined), undefined)
  const { revision } = await publishDraft(engine, document.name, 'refuse')
  return `${document.name}: ${done}, published as revision ${revision}`
}

/** Says of what the engine refuses that the draft is saved all the same. */
async function publishDraft(engine: Engine, topology: string, inFlight: InFlight): Promise<Topology> {
  try {
    const params = { path: { topology }, query: { inFlight } }
    return await dataOf(engine.POST('/api/topologies/{topology}/publish', { params }))
  } catch (error) {
    const text = `${topology} is saved as a draft, not published: ${textOf(error)}`
    if (error instanceof Invalid) throw new Invalid(text, error.errors, { cause: error })
    if (error instanceof Conflict) throw new Conflict(text, { cause: error })
    throw new Unavailable('engine', text, { cause: error })
  }
}

const triesMax = 6
const pauseMaxMs = 300

/** Whoever was faster may have wanted the same: then what there is now is looked at again. Throws `LostRace` when that doesn't end. */
async function saveOver(
  engine: Engine,
  planned: Step,
  set: string | undefined,
): Promise<{ readonly done: string; readonly step: Step }> {
  let step = planned
  for (let tries = 1; ; tries += 1) {
    try {
      return { done: await save(engine, step), step }
    } catch (error) {
      const isTaken = error instanceof Conflict && step.stored === null
      if (!isTaken && !(error instanceof LostRace)) throw error
      if (tries === triesMax) throw new LostRace(`${step.name} is changed by others all the time: run it again`)
      await delay(Math.random() * pauseMaxMs)
      step = await stepFor(engine, planned.document, set)
      if (isTaken && step.stored === null) throw error
      checkOwners([step], set)
    }
  }
}

async function save(engine: Engine, { name, stored, document, difference }: Step): Promise<string> {
  if (stored === null) {
    await engine.POST('/api/topologies', { body: document as Sent })
    return 'created'
  }
  if (isSame(difference)) return 'unchanged'
  const params = { path: { topology: name } }
  await engine.PUT('/api/topologies/{topology}', { params, body: document as Sent, headers: ifMatch(stored.etag) })
  return 'changed'
}
