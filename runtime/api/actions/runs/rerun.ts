import { Conflict, NotFound } from '../../../errors.ts'
import { newId } from '../../../ids.ts'
import type { RecordedInputs } from '../../../queue/history/types.ts'
import { nodeIdsOf } from '../../../store/queries/nodes.ts'
import { closeRerun, findRerun, insertRerun, milestonesOf, startOf } from '../../../store/queries/history/reruns.ts'
import type { NewRerun, Rerun, StartMessage } from '../../../store/queries/history/reruns.ts'
import type { Run } from '../../../store/queries/runs.ts'
import { findTopology, lockTopology } from '../../../store/queries/topologies.ts'
import type { Topology } from '../../../store/queries/topologies.ts'
import type { Store } from '../../../store/store.ts'
import { isEventNode, overlapOf } from '../../../topology/plan.ts'
import type { EventNode, Plan, PlanNode } from '../../../topology/plan.ts'
import { ofRun } from '../../access/targets.ts'
import type { Changing } from '../../deps.ts'
import { passGate, sendWritten } from '../firing/gate.ts'
import type { GatedStart } from '../firing/gate.ts'
import { ownKey, runIdOf } from '../keys.ts'
import { newestPlan } from '../plans.ts'
import { admit } from '../starts.ts'
import { finishRerun } from './finish.ts'
import { isWhole } from './kept.ts'

/** A run from a node begins with so many messages at most. */
const inputsMax = 10_000
/** So many messages of the node's queue are looked at to find them, which takes seconds. */
const readMax = 100_000

interface Wanted {
  /** Id or name; null: the whole run. */
  readonly node: string | null
  /** Equal keys mean the same rerun; null: one of its own. */
  readonly key: string | null
  /** Name of the token. */
  readonly by: string
}

/**
 * Makes a run like another one, and answers its id: with the same start message, or with what entered a node, exactly as it was recorded. It is
 * kept in Postgres before anything is published, the set of messages with it, so that any control finishes what one has begun.
 * Throws `Conflict` where it can't be made (any more), and what `Admission.admit` does.
 */
export async function rerunRun(deps: Changing, run: Run, { node: ref, key, by }: Wanted): Promise<string> {
  const topology = await topologyOf(deps, run)
  const plan = topology.visibility === 'public' ? await newestPlan(deps.store, topology) : null
  const nodeId = ref === null ? run.nodeId : await idOf(deps, topology, ref)
  const place = `rerun:${run.id}:${key ?? newId()}`
  const runId = runIdOf(topology.id, nodeId, ownKey(place))
  if (key !== null && (await findRerun(deps.store, runId)) !== null) return runId
  if (!plan) throw new Conflict(`the topology "${topology.name}" is a draft: publish it first`)
  const node = nodeOf(plan, nodeId, ref ?? run.nodeName)
  const begin = isEventNode(node)
    ? await withStart(deps, run, node)
    : await withInputs(deps, run, plan, node, ref === null)
  await admit(deps, topology, node, begin.bytes)
  const { sequences, epoch, start } = begin
  const rerun = { runId, rerunOf: run.id, topologyId: topology.id, nodeId, revision: plan.revision, by }
  const wanted = { ...rerun, key: sequences === null ? place : null, sequences, epoch }
  const names = { id: runId, topologyId: topology.id, topologyName: topology.name, nodeId, nodeName: node.name }
  if (start !== null && isEventNode(node) && overlapOf(node) !== 'allow')
    await keepGated(deps, run, wanted, node, { ...names, ...start, trace: null })
  else {
    const made = await keep(deps, run, wanted)
    if (made !== null) await tryToFinish(deps, made)
  }
  return runId
}

type Begin = Pick<NewRerun, 'sequences' | 'epoch'> & {
  readonly bytes: number
  /** With what the run was started; null: it begins with recorded messages. */
  readonly start: StartMessage | null
}

async function topologyOf({ store }: Changing, run: Run): Promise<Topology> {
  const topology = await findTopology(store, run.topologyId)
  if (topology !== null) return topology
  throw new Conflict(`the topology "${run.topologyName}" is deleted: nothing of it can be run again`)
}

async function idOf({ store }: Changing, topology: Topology, ref: string): Promise<string> {
  const [id] = await nodeIdsOf(store, ref, topology.id)
  if (id === undefined) throw new NotFound(`the topology "${topology.name}" has no node "${ref}"`)
  return id
}

function nodeOf(plan: Plan, id: string, name: string): PlanNode {
  const node = plan.nodes.find((node) => node.id === id)
  if (node === undefined || node.leaving !== undefined)
    throw new Conflict(`the published topology "${plan.name}" has no node "${name}" any more`)
  return node
}

async function withStart({ store }: Changing, run: Run, node: EventNode): Promise<Begin> {
  if (node.id !== run.nodeId)
    throw new Conflict(
      `the run was not started at "${node.name}" but at "${run.nodeName}": there is no start to repeat`,
    )
  if (run.intake !== null)
    throw new Conflict(
      'the run was split from a body that came in pieces, which is not kept: send it again, or name a node to begin at',
    )
  const start = await startOf(store, run.id)
  if (start === null) throw new Conflict('the start message of the run is not known: it was erased, or never seen')
  return { sequences: null, epoch: null, bytes: start.body.byteLength, start }
}

async function withInputs(deps: Changing, run: Run, plan: Plan, node: PlanNode, isWhole: boolean): Promise<Begin> {
  if (isWhole)
    throw new Conflict(
      `the run began with recorded messages at "${node.name}": name that node to run it again from there`,
    )
  if (run.state === 'running')
    throw new Conflict('the run is still running: what enters the node is known when it has ended')
  const at = { topologyId: plan.topologyId, nodeId: node.id, run: run.id, startedAt: run.startedAt }
  const found = await deps.queues.history.inputs(at, { inputsMax, readMax })
  if (found === null) throw new Conflict('nothing of the run is stored any more: run it again as a whole')
  await checkComplete(deps, run, node, found)
  return { sequences: [...found.sequences], epoch: found.epoch, bytes: found.bytes, start: null }
}

/** The recorder has counted what settled at the node: as much has to be there. */
async function checkComplete(
  { store }: Changing,
  run: Run,
  { id, name }: PlanNode,
  found: RecordedInputs,
): Promise<void> {
  const {
    forwarded = 0,
    done = 0,
    split = 0,
    failed = 0,
    cancelled = 0,
  } = (await milestonesOf(store, run.id))[id] ?? {}
  const settled = forwarded + done + split + failed + cancelled
  // Of older runs it isn't known how many there were.
  if (found.entered < settled || !isWhole(found.since, run))
    throw new Conflict(
      `of what entered "${name}" only ${found.entered} of ${Math.max(settled, found.entered)} messages are surely kept: queues keep what is settled for --history-ms. Run it again as a whole`,
    )
  if (found.sequences.length === 0) throw new Conflict(`nothing entered "${name}" in this run`)
}

/** Null: it was made before, by a request with the same key. */
function keep(deps: Changing, run: Run, rerun: NewRerun): Promise<Rerun | null> {
  return deps.store.transaction(async (inside) => {
    // Who deletes the topology has done so, or counts this rerun.
    const { name, visibility } = await lockTopology(inside, rerun.topologyId, null)
    if (visibility !== 'public') throw new Conflict(`the topology "${name}" is a draft: publish it first`)
    return insert(deps, inside, run, rerun)
  })
}

/** Its start goes through the gate of its node like any other: it is refused, or waits in the line, while another run goes on. */
async function keepGated(deps: Changing, run: Run, rerun: NewRerun, node: EventNode, start: GatedStart): Promise<void> {
  const written = await deps.store.transaction(async (inside) => {
    if ((await insert(deps, inside, run, rerun)) === null) return null
    // What is written down is sent, so nothing is left to finish.
    await closeRerun(inside, rerun.runId)
    return passGate(inside, node, start, false)
  })
  if (written !== null) await sendWritten(deps, written)
}

async function insert({ audit }: Changing, inside: Store, run: Run, rerun: NewRerun): Promise<Rerun | null> {
  const made = await insertRerun(inside, rerun)
  const { runId, nodeId, sequences } = rerun
  if (made)
    await audit(inside, ofRun(run, { state: run.state, rerun: runId, nodeId, messages: sequences?.length ?? 1 }))
  return made
}

/** It is kept, so it will be made: whatever fails now is tried again, by any control. */
async function tryToFinish(deps: Changing, rerun: Rerun): Promise<void> {
  await finishRerun(deps, rerun).catch((error: unknown) => {
    deps.log.warn('a rerun is finished later', { run: rerun.runId, error: String(error) })
  })
}
