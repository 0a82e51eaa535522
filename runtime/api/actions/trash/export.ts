import { traceIdOf } from '../../../protocol/native.ts'
import type { WholeRow } from '../../../store/trash/whole.ts'

/** What a body is in a line: its exact text, or base64 where it is none, or where that is shorter. */
function bodyOf(bytes: Uint8Array): { bodyText: string } | { bodyBase64: string } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const text = buffer.toString('utf8')
  const isText = Buffer.from(text).equals(buffer) && JSON.stringify(text).length <= 1.4 * buffer.byteLength + 100
  return isText ? { bodyText: text } : { bodyBase64: buffer.toString('base64') }
}

/** A row as one line of NDJSON, with everything that is kept of it. */
function lineOf({ row, versions }: WholeRow): string {
  const { message, topologyName, nodeName, body, createdAt, settledAt, ...rest } = row
  const { from, created, replay, page, cursor, reconcile = false, tenant, limitKey = null, key, trace } = message
  return `${JSON.stringify({
    ...rest,
    ...{ topology: topologyName, node: nodeName, createdAt, settledAt },
    ...{ from, created, replay, page, cursor, reconcile, tenant, key, limitKey, traceparent: trace },
    traceId: traceIdOf({ trace, run: row.runId }),
    ...bodyOf(body),
    versions: versions.map(({ trashId: _, body: edited, ...version }) => ({ ...version, ...bodyOf(edited) })),
  })}\n`
}

const encoder = new TextEncoder()
/** Rows are small as a rule: one by one, each would be a chunk of its own. */
const pieceBytes = 64 * 1024

/** Reads on only when what was read is taken, and not any more when nobody listens. The first piece is read before it answers: a filter that can't be asked for throws. */
export async function ndjsonOf(rows: AsyncGenerator<WholeRow>): Promise<ReadableStream<Uint8Array>> {
  let first: string | null = await pieceOf(rows)
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = first ?? (await pieceOf(rows))
        first = null
        if (piece === '') controller.close()
        else controller.enqueue(encoder.encode(piece))
      },
      async cancel() {
        await rows.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}

/** Empty: there are no more. */
async function pieceOf(rows: AsyncGenerator<WholeRow>): Promise<string> {
  let piece = ''
  while (piece.length < pieceBytes) {
    const next = await rows.next()
    if (next.done === true) break
    piece += lineOf(next.value)
  }
  return piece
}
