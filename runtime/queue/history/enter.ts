import type { Connection } from '../connection.ts'
import type { Guarded } from '../control.ts'
import { decodeEnvelope, envelopeHeader } from '../envelope.ts'
import { storedAt } from '../janitor/stored.ts'
import { encodeRecord, endedRecord, streamEpoch } from '../ledger.ts'
import { ledgerTail, originOf, replyTail, streamName } from '../names.ts'
import type { Guard } from '../publish/guard.ts'
import { encodeReply } from '../reply.ts'
import type { Entering } from './types.ts'

interface Deps {
  readonly connection: Connection
  readonly guard: Guard
}

/** Bodies may be 8 MiB each. */
const readAhead = 8

export const enteringKey = (run: string, index: number): string => `rerun:${run}/${index}`

/**
 * Counts all messages of the run (I6), then lets them enter the node in order, each as a stored reply that the node's splitter puts
 * into the right lane. Each is one guarded publish, so whoever does it again, after a crash or at the same time, changes nothing. What
 * is not stored any more when somebody goes on after a crash settles as cancelled, under the same key: so the run ends in any case.
 *
 * `mayGoOn` is asked before each publish. A process that was stopped for long must not publish what others have published and the
 * janitor has compacted.
 */
export async function enterRecorded(
  { connection, guard }: Deps,
  entering: Entering,
  mayGoOn: () => Promise<boolean>,
): Promise<void> {
  const { topologyId, sequences, epoch } = entering
  const isSame = (await streamEpoch(connection, topologyId)) === epoch
  if (!(await mayGoOn())) return
  await guard.publish({ topologyId, ...startOf(entering) }, null)
  for (let first = 0; first < sequences.length; first += readAhead) {
    const some = sequences.slice(first, first + readAhead)
    const stored = await Promise.all(
      some.map(async (seq) => (isSame ? storedAt(connection, streamName(topologyId), seq) : null)),
    )
    for (const [n, message] of stored.entries()) {
      if (!(await mayGoOn())) return
      await (message === null
        ? publishLost(guard, entering, first + n)
        : publishOne(guard, entering, first + n, message))
    }
  }
}

function startOf({ run, nodeId, tenant, revision, at, sequences }: Entering) {
  const nothing = { tenant, contentType: '', headers: {} }
  const record = { kind: 'started', run, nodeId, at, messages: sequences.length, revision, ...nothing } as const
  return { origin: originOf(`rerun:${run}`), tail: ledgerTail, headers: [], body: encodeRecord(record) }
}

function publishOne(
  guard: Guard,
  { topologyId, nodeId, run, at }: Entering,
  index: number,
  { header, data }: { readonly header: { get(name: string): string }; readonly data: Uint8Array },
): Promise<Guarded> {
  const { body: _, ...input } = decodeEnvelope(header.get(envelopeHeader), data)
  const untried = { attempt: 0, round: 0, replay: 0, page: 0, cursor: null, trace: null, history: [], trail: [] }
  const message = { ...input, ...untried, id: `${run}.${index}`, run, created: at }
  const hopKey = enteringKey(run, index)
  const reply = encodeReply({ kind: 'rerun', hopKey, message })
  const headers = [[envelopeHeader, reply]] as const
  return guard.publish({ topologyId, origin: originOf(hopKey), tail: replyTail(nodeId), headers, body: data }, null)
}

function publishLost(guard: Guard, { topologyId, nodeId, run, at }: Entering, index: number): Promise<Guarded> {
  const body = endedRecord({ run, created: at, trail: [] }, nodeId, true)
  return guard.publish(
    { topologyId, origin: originOf(enteringKey(run, index)), tail: ledgerTail, headers: [], body },
    null,
  )
}
