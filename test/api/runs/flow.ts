import { eventually } from '../../support/eventually.ts'
import type { Answer, Seen } from '../../support/fake-worker.ts'
import type { TestApi } from '../open.ts'

/** What the tests of this folder read of timelines. */
export interface Timeline {
  readonly complete: boolean
  readonly since: string | null
  readonly nodes: readonly {
    readonly node: string
    readonly messages: object
    readonly calls: number
    readonly spent: object
  }[]
  readonly events: readonly { readonly kind: string; readonly node: string | null; readonly text: string }[]
  readonly steps: readonly {
    readonly node: string
    readonly state: string
    readonly trash: { readonly id: string } | null
    readonly attempts: readonly unknown[]
  }[]
  readonly reruns: readonly string[]
}

export async function timeline(t: TestApi, run: string, message?: string): Promise<Timeline> {
  const path = message === undefined ? '' : `/messages/${encodeURIComponent(message)}`
  const { status, body, text } = await t.get(`/api/runs/${run}${path}/timeline`)
  if (status !== 200) throw new Error(text)
  return body as unknown as Timeline
}

/** `a` answers with two records, of which `b` refuses the second while `isRefusing` says so. */
export function twoRecords(isRefusing: () => boolean): (request: Seen) => Answer {
  return ({ node, body }) => {
    if (node === 'a')
      return { body: '["one","two"]', headers: { 'content-type': 'application/json', 'sluice-emit': 'records' } }
    return { status: body === '"two"' && isRefusing() ? 422 : 204 }
  }
}

export const trashOf = (t: TestApi, run: string) =>
  eventually('it is in Trash', async () => {
    const { items } = (await t.get(`/api/trash?run=${run}&state=open`)).body
    return items.length > 0 && items
  })
