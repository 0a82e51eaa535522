import { setTimeout as wait } from 'node:timers/promises'
import type { Context } from 'hono'
import { HttpProblem } from '../../problem.ts'

/** Who sends nothing for so long, while nobody holds it back, is gone. */
const silentMs = 60_000
/** After a refusal so much is still read, for so long: closed on a client that still sends, the connection would break before the answer. */
const drain = { bytes: 32 * 1024 * 1024, ms: 2_000 } as const

/** A request's body, piece by piece: what isn't asked for waits in the socket, and its sender with it. */
export interface Pieces {
  /** Null at the end. Throws `Gone` when the sender is, and 408 when nothing comes. */
  next(): Promise<Uint8Array | null>
  /** Reads on for a while, and keeps nothing. */
  drain(): Promise<void>
}

/** The connection broke. */
export class Gone extends Error {
  override readonly name = 'Gone'
}

/** Throws 415 for a body that is compressed. */
export function piecesOf(c: Context): Pieces {
  const coding = c.req.header('content-encoding') ?? 'identity'
  if (coding !== 'identity') throw new HttpProblem(415, `the body has to come as it is, not as ${coding}`)
  const reader = c.req.raw.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined
  const read = async (ms: number): Promise<Uint8Array | null> => {
    if (reader === undefined) return null
    const silence = new AbortController()
    const reading = reader.read()
    const late = wait(ms, null, { signal: silence.signal, ref: false }).catch(() => null)
    try {
      const first = await Promise.race([reading, late])
      if (first === null) throw new HttpProblem(408, `nothing came for ${ms / 1000} s`, { connection: 'close' })
      return first.done ? null : first.value
    } catch (error) {
      reading.catch(() => undefined)
      throw error instanceof HttpProblem ? error : new Gone('the connection broke', { cause: error })
    } finally {
      silence.abort()
    }
  }
  return {
    next: () => read(silentMs),
    async drain() {
      const until = performance.now() + drain.ms
      let bytes = 0
      try {
        while (bytes < drain.bytes && performance.now() < until) {
          const piece = await read(drain.ms)
          if (piece === null) return
          bytes += piece.length
        }
      } catch {
        // Who is refused need not be told why the rest didn't come.
      }
    },
  }
}
