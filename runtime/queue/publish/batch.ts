import { Unavailable } from '../../errors.ts'
import { newId } from '../../ids.ts'
import { guardHeaders, headerBlock } from '../envelope.ts'
import type { Claim, Guard, GuardedPublish } from './guard.ts'
import { originFilter } from '../names.ts'
import { LostAck, PublishRefused } from './publisher.ts'
import type { Publisher } from './publisher.ts'

/** Below this, single publishes one after the other are faster than an atomic batch (3 ms each). */
const smallest = 16
/** The server's limit of a batch. */
const largest = 1_000
/** Looks on their way at once. */
const sideBySide = 100

/**
 * Publishes many guarded messages of one held message; resolves when each is stored or was stored before.
 * Large sets go as atomic JetStream batches, all or nothing. Of a refused batch (one of its messages was stored before a crash) goes
 * again what is missing: redoing it changes nothing (I3).
 *
 * I5: none is stored before the one before it is. Several on their way at once would be stored out of order when one of them is
 * refused or lost and goes again: disk full, a new leader, an overloaded server.
 */
export async function publishMany(
  deps: { guard: Guard; publisher: Publisher },
  all: Iterable<GuardedPublish>,
  claim: Claim,
  signal: AbortSignal,
): Promise<void> {
  for (const part of partsOf(all, largest)) {
    if (await publishTogether(deps, part, claim, signal)) continue
    const missing = part.length < smallest ? part : await missingOf(deps.guard, part, signal)
    if (missing.length < part.length && (await publishTogether(deps, missing, claim, signal))) continue
    for (const one of missing) await deps.guard.publish(one, claim, signal)
  }
}

/** True when all of them are stored; false when there are too few for a batch, or it was refused, or its answer was lost. */
async function publishTogether(
  { guard, publisher }: { guard: Guard; publisher: Publisher },
  part: readonly GuardedPublish[],
  claim: Claim,
  signal: AbortSignal,
): Promise<boolean> {
  const [first] = part
  if (first === undefined || part.length < smallest) return false
  if (!claim.lease.valid() && !(await guard.mayPublish(first.topologyId, claim, signal))) return false
  return publishBatch(publisher, part)
}

/** Those of which nothing is stored: looking does not depend on order, so it is done side by side. */
async function missingOf(
  guard: Guard,
  part: readonly GuardedPublish[],
  signal: AbortSignal,
): Promise<GuardedPublish[]> {
  const missing: GuardedPublish[] = []
  for (let from = 0; from < part.length; from += sideBySide) {
    const some = part.slice(from, from + sideBySide)
    const stored = await Promise.all(some.map(({ topologyId, origin }) => guard.isStored(topologyId, origin, signal)))
    missing.push(...some.filter((_, index) => stored[index] === false))
  }
  return missing
}

function* partsOf<T>(all: Iterable<T>, size: number): Generator<T[]> {
  let part: T[] = []
  for (const one of all) {
    part.push(one)
    if (part.length < size) continue
    yield part
    part = []
  }
  if (part.length > 0) yield part
}

/** True when the whole batch is stored; false when it was refused or its answer was lost. */
async function publishBatch(publisher: Publisher, part: readonly GuardedPublish[]): Promise<boolean> {
  const id = newId()
  try {
    for (const [index, one] of part.entries()) {
      const headers = [
        ...guardHeaders(originFilter(one.topologyId, one.origin)),
        ...batchHeaders(id, index, part.length),
        ...one.headers,
      ]
      const subject = `sluice.${one.topologyId}.${one.origin}.${one.tail}`
      if (index < part.length - 1) publisher.send(subject, headerBlock(headers), one.body)
      else await publisher.publish(subject, headerBlock(headers), one.body)
    }
    return true
  } catch (error) {
    if (error instanceof PublishRefused || error instanceof LostAck || error instanceof Unavailable) return false
    throw error
  }
}

function batchHeaders(id: string, index: number, size: number): [string, string][] {
  const headers: [string, string][] = [
    ['Nats-Batch-Id', id],
    ['Nats-Batch-Sequence', String(index + 1)],
  ]
  if (index === size - 1) headers.push(['Nats-Batch-Commit', '1'])
  return headers
}
