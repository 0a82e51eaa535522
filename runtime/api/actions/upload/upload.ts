import { newId } from '../../../ids.ts'
import { Chunker } from '../../../protocol/records/chunks.ts'
import { BrokenBody } from '../../../protocol/records/entry.ts'
import type { Entry, RecordReader } from '../../../protocol/records/entry.ts'
import { openRecords, recordTypes } from '../../../protocol/records/open.ts'
import type { Topology } from '../../../store/queries/topologies.ts'
import { HttpProblem } from '../../problem.ts'
import { runIdOf } from '../keys.ts'
import { admit, startNodeOf } from '../starts.ts'
import type { Start, StartDeps } from '../starts.ts'
import { Gone } from './pieces.ts'
import type { Pieces } from './pieces.ts'
import { placeOf } from './place.ts'
import { UploadSession } from './session.ts'

/** What was stored of a body. */
export interface Taken {
  readonly runId: string
  readonly records: number
  /** What was no record, and is in Trash. */
  readonly trashed: number
}

/**
 * Takes in a body of any size as one message per record, chunk by chunk, in memory that doesn't grow with it. The same again under the
 * same key goes on where it broke off. Throws 415; 429 and 503 before anything is stored, for later it waits; `Conflict` for a key that
 * stands for something else; and 400 for a body that is broken: what came before is stored, and said.
 */
export async function takeRecords(
  deps: StartDeps,
  topology: Topology,
  start: Omit<Start, 'body'>,
  pieces: Pieces,
  signal: AbortSignal,
): Promise<Taken> {
  const session = await begin(deps, topology, start, signal)
  const signs = setInterval(() => void session.giveSign(), signEveryMs)
  try {
    const reader = openRecords(start.contentType)
    if (reader === null) throw new HttpProblem(415, unreadable(start.contentType))
    await takeAll(session, reader, pieces)
    await session.close('complete', null)
    return takenBy(session)
  } catch (error) {
    if (!session.isBegun) await session.leave()
    if (error instanceof BrokenBody) throw brokenBody(session, error)
    if (!session.intake.resumable && session.isBegun && isLost(error)) await giveUp(session)
    throw error
  } finally {
    clearInterval(signs)
  }
}

/** Others take its place, or end what came in, when a sender gives no sign for minutes. */
const signEveryMs = 20_000

async function begin(
  deps: StartDeps,
  topology: Topology,
  { node: ref, key: given, force, reconcile = false, ...sent }: Omit<Start, 'body'>,
  signal: AbortSignal,
): Promise<UploadSession> {
  const node = await startNodeOf(deps.store, topology, ref)
  const key = given ?? newId()
  const run = runIdOf(topology.id, node.id, key)
  const ids = { topologyId: topology.id, nodeId: node.id }
  const names = { topologyName: topology.name, nodeName: node.name }
  const start = { ...sent, reconcile, id: run, ...ids, ...names }
  const place = placeOf(deps.store, node, start, force)
  const upload = { ...sent, reconcile, ...ids, key, run }
  const session = new UploadSession({ ...deps, place }, topology, upload, given !== null, signal)
  // What was begun is finished: only new ones are refused.
  if (await session.isKnown()) return session
  await admit(deps, topology, node, 0)
  await place.hold()
  return session
}

async function takeAll(session: UploadSession, reader: RecordReader, pieces: Pieces): Promise<void> {
  const chunker = new Chunker()
  try {
    for (let piece = await pieces.next(); piece !== null; piece = await pieces.next())
      await putAll(session, chunker, reader.push(piece))
    await putAll(session, chunker, reader.end())
  } catch (error) {
    if (!(error instanceof BrokenBody)) throw error
    await putRest(session, chunker)
    if (session.isBegun) await session.close('broken', error.message)
    throw error
  }
  await putRest(session, chunker)
}

async function putAll(session: UploadSession, chunker: Chunker, entries: Iterable<Entry>): Promise<void> {
  for (const entry of entries) {
    const full = chunker.add(entry)
    if (full !== null) await session.put(full)
  }
}

async function putRest(session: UploadSession, chunker: Chunker): Promise<void> {
  const rest = chunker.end()
  if (rest !== null) await session.put(rest)
}

function isLost(error: unknown): boolean {
  return error instanceof Gone || (error instanceof HttpProblem && error.status === 408)
}

/** Nobody can go on without a key. */
async function giveUp(session: UploadSession): Promise<void> {
  await session
    .close('broken', 'the connection broke, and without an Idempotency-Key nobody can go on')
    .catch(() => undefined)
}

function takenBy({ runId, intake }: UploadSession): Taken {
  return { runId, records: intake.records, trashed: intake.trashed }
}

/** 400 with what was accepted all the same, if anything was. */
function brokenBody(session: UploadSession, error: BrokenBody): HttpProblem {
  const errors = [{ path: '', message: error.message }]
  const { byte, line } = error
  if (!session.isBegun) return new HttpProblem(400, `nothing is accepted: ${error.message}`, {}, { errors, byte, line })
  const taken = takenBy(session)
  const told = `${taken.records} records before it are accepted, and ${taken.trashed} are in Trash`
  return new HttpProblem(400, `${error.message}; ${told}`, {}, { errors, byte, line, ...taken })
}

function unreadable(contentType: string): string {
  return `no records can be read from ${contentType}; split=records takes ${recordTypes.join(', ')}, in UTF-8`
}
