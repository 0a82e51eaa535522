import { eventually } from '../../support/eventually.ts'
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

/** The run, when it has ended. */
export const over = (t: TestApi, run: string): Promise<Body> =>
  eventually('the run has ended', async () => {
    const { status, body } = await t.get(`/api/runs/${run}`)
    return status === 200 && body.state !== 'running' && body
  })
