import { Unavailable } from '../../errors.ts'
import { newId } from '../../ids.ts'
import { guardHeaders, headerBlock } from '../envelope.ts'
import type { Claim, Guard, GuardedPublish } from './guard.ts'
import { originFilter } from '../names.ts'
import { LostAck, PublishRefused } from './publisher.ts'
import type { Publisher } from './publisher.ts'

/** Below this, single publishes side by side are faster than an atomic batch (3 ms each). */
const smallest = 50
/** The server's limit of a batch. */
const largest = 1_000
/** Single publishes on their way at once. */
const sideBySide = 100

/**
 * Publishes many guarded messages of one held message; resolves when each is stored or was stored before.
 * Large sets go as atomic JetStream batches, all or nothing. A refused batch (one of its messages was stored before a crash)
 * goes again one by one: redoing it changes nothing (I3).
 */
export async function publishMany(
  deps: { guard: Guard; publisher: Publisher },
  all: Iterable<GuardedPublish>,
  claim: Claim,
  signal: AbortSignal,
): Promise<void> {
  for (const part of partsOf(all, largest)) {
    if (part.length < smallest || !claim.lease.valid() || !(await publishBatch(deps.publisher, part))) {
      await publishSingly(deps.guard, part, claim, signal)
    }
  }
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

async function publishSingly(
  guard: Guard,
  part: readonly GuardedPublish[],
  claim: Claim,
  signal: AbortSignal,
): Promise<void> {
  for (let from = 0; from < part.length; from += sideBySide) {
    await Promise.all(part.slice(from, from + sideBySide).map((one) => guard.publish(one, claim, signal)))
  }
}
