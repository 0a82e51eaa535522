import { DeliverPolicy } from '@nats-io/jetstream'
import { Conflict, Unavailable } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { decodeEnvelope, envelopeHeader } from '../envelope.ts'
import { nodeFilter, streamName } from '../names.ts'
import { orNull } from '../streams.ts'
import type { InputsAt, InputsLimits, RecordedInputs } from './types.ts'

/** Clocks of bridges and NATS may differ by so much. */
const clocksMs = 60_000
/** A server that is busy may send nothing for as long as a portion waits; so often in a row isn't taken for busy. */
const emptyMax = 5
const portion = { max_messages: 5_000, expires: 2_000 }

/**
 * Finds what entered a node in a run by reading the headers in the node's queue from the run's start on, of all runs.
 * @throws Conflict when that are more messages than `readMax`, or more than `inputsMax` are of the run
 */
export async function recordedInputs(
  connection: Connection,
  at: InputsAt,
  { inputsMax, readMax }: InputsLimits,
): Promise<RecordedInputs | null> {
  const stream = streamName(at.topologyId)
  const info = await connection.jsm.streams.info(stream).catch(orNull)
  if (info === null) return null
  const found = new Map<string, { readonly sequence: number; readonly bytes: number }>()
  let [entered, read] = [0, 0]
  for await (const { sequence, header, bytes } of headersOf(connection, stream, at)) {
    if (++read > readMax) throw new Conflict(`more than ${readMax} messages entered the node since the run began`)
    // Most are of other runs: only those that may be of this one are parsed.
    if (!header.includes(at.run)) continue
    const { run, id, page, round } = decodeEnvelope(header, nothing)
    if (run !== at.run || round > 0) continue
    entered++
    if (page > 0) continue
    const original = id.replace(/!\d+$/, '')
    found.delete(original)
    found.set(original, { sequence, bytes })
    if (found.size > inputsMax) throw new Conflict(`more than ${inputsMax} messages of the run entered the node`)
  }
  const inputs = [...found.values()].sort((a, b) => a.sequence - b.sequence)
  const bytes = inputs.reduce((sum, input) => sum + input.bytes, 0)
  const since = new Date(info.state.first_ts)
  return { epoch: info.created, since, entered, sequences: inputs.map(({ sequence }) => sequence), bytes }
}

const nothing = new Uint8Array()

async function* headersOf(
  connection: Connection,
  stream: string,
  { topologyId, nodeId, startedAt }: { readonly topologyId: string; readonly nodeId: string; readonly startedAt: Date },
): AsyncGenerator<{ readonly sequence: number; readonly header: string; readonly bytes: number }> {
  const consumer = await connection.js.consumers.get(stream, {
    filter_subjects: nodeFilter(topologyId, nodeId),
    headers_only: true,
    deliver_policy: DeliverPolicy.StartTime,
    opt_start_time: new Date(startedAt.getTime() - clocksMs).toISOString(),
  })
  try {
    // Without any there is nothing to wait for.
    let left = (await consumer.info()).num_pending
    let empty = 0
    while (left > 0) {
      let got = 0
      for await (const message of await consumer.fetch(portion)) {
        got++
        left = message.info.pending
        const header = message.headers?.get(envelopeHeader) ?? ''
        yield { sequence: message.seq, header, bytes: Number(message.headers?.get('Nats-Msg-Size') ?? 0) }
        if (left === 0) break
      }
      if (got > 0) empty = 0
      else if (++empty === emptyMax)
        throw new Unavailable('nats', `it sends nothing of ${left} messages that are stored`)
      else left = (await consumer.info()).num_pending
    }
  } finally {
    await consumer.delete().catch(() => undefined)
  }
}
