import { onTestFinished } from 'vitest'
import { openRecorder } from '../../../runtime/recorder/recorder.ts'
import { silentLog } from '../../../runtime/telemetry/log.ts'
import { janitorOf } from '../../queue/compact.ts'
import { eventually } from '../../support/eventually.ts'
import { openApi, published } from '../open.ts'
import type { Answer, Body, TestApi } from '../open.ts'

interface Sending {
  readonly type?: string
  readonly key?: string
  readonly query?: string
  readonly headers?: Record<string, string>
}

/** Sends a body to `orders` that is split into records. */
export function sendRecords(
  t: TestApi,
  raw: string | Uint8Array | ReadableStream,
  { type = 'application/x-ndjson', key, query = '', headers }: Sending = {},
): Promise<Answer> {
  return t.send('POST', `/start/orders/start?split=records${query}`, {
    raw,
    headers: { 'content-type': type, ...(key && { 'idempotency-key': key }), ...headers },
  })
}

/** The run, when it is listed and `isSo`. */
export const runWhen = (t: TestApi, run: string, isSo: (run: Body) => boolean): Promise<Body> =>
  eventually('the run is as it should be', async () => {
    const { status, body } = await t.get(`/api/runs/${run}`)
    return status === 200 && isSo(body) && body
  })

/** The run, when it has ended. */
export const over = (t: TestApi, run: string): Promise<Body> => runWhen(t, run, ({ state }) => state !== 'running')

/** A control without bridges: what is stored is recorded, and stays where it is. */
export async function recording(
  limits: NonNullable<Parameters<typeof openApi>[0]>['limits'] = {},
): Promise<TestApi & { topologyId: string; compact(): Promise<void> }> {
  const t = await openApi({ limits })
  const janitor = janitorOf(t)
  const recorder = await openRecorder({ ...t, janitor, log: silentLog, compactEveryMs: 3_600_000 })
  onTestFinished(() => recorder.close())
  const { id } = await published(t, 'orders')
  return { ...t, topologyId: id, compact: () => Promise.resolve() }
}

/** Lines `{"n":from}` to `{"n":to}`, the last one not included. */
export function lines(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, index) => `{"n":${from + index}}\n`).join('')
}

/** A body of these pieces, after which the connection breaks. */
export function breakingOff(...pieces: string[]): ReadableStream {
  return new ReadableStream({
    pull(controller) {
      const piece = pieces.shift()
      if (piece === undefined) controller.error(new Error('the client died'))
      else controller.enqueue(Buffer.from(piece))
    },
  })
}
