import { readFileSync } from 'node:fs'
import type { Scope } from '../../runtime/api/deps.ts'
import { readingOf, watermarkIdOf } from '../../runtime/protocol/reading.ts'
import { lockWatermark, setWatermark } from '../../runtime/store/delta/watermarks.ts'
import { applyOutcomes, position } from '../../runtime/store/outcomes.ts'
import { insertToken, newTokenText } from '../../runtime/store/queries/tokens.ts'
import type { Token } from '../../runtime/store/queries/tokens.ts'
import { nodeOf, published } from '../api/open.ts'
import type { Answer, Body, TestApi } from '../api/open.ts'
import { pageRead, split, started, trashed } from '../store/outcome-samples.ts'

/** An operation of docs/openapi.json, which another test holds to the routes. */
export interface Operation {
  readonly id: string
  readonly method: string
  readonly path: string
  /** All of them are needed; none: any token will do. */
  readonly scopes: readonly Scope[]
  /** Others that will do instead. */
  readonly instead: readonly Scope[]
  readonly isOpen: boolean
  /** Of its body; null: it takes none. */
  readonly contentType: string | null
}

interface Described {
  readonly operationId: string
  readonly security: readonly { readonly bearer?: readonly Scope[] }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> }
}

export function allOperations(): Operation[] {
  const document = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8')) as {
    paths: Record<string, Record<string, Described>>
  }
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { operationId, security, requestBody }]) => ({
      id: operationId,
      method: method.toUpperCase(),
      path,
      scopes: security[0]?.bearer ?? [],
      instead: security.slice(1).flatMap(({ bearer = [] }) => bearer),
      isOpen: security.length === 0,
      contentType: Object.keys(requestBody?.content ?? {})[0] ?? null,
    })),
  )
}

interface WithRuns {
  readonly id: string
  readonly node: Body
  /** Ids. */
  readonly cursor: string
  readonly watermark: string
}

/** A published chain with a run that runs, reads pages and has a watermark, and a run with two messages in Trash; ids begin with the topology's name. */
export async function withRuns(t: TestApi, name: string): Promise<WithRuns> {
  const { id } = await published(t, name)
  const node = await nodeOf(t, name, 'a')
  const [running, failed] = [`${name}-running`, `${name}-failed`]
  const json = { ...trashed(failed, '').message, contentType: 'application/json', headers: { 'x-a': 'header-of-it' } }
  const page = pageRead({ message: running, next: 'c1', since: { watermark: null, epoch: 0 }, commit: 'drained' })
  const { id: nodeId } = await nodeOf(t, name, 'start')
  const outcomes = [
    started(running, { nodeId }),
    { ...split(running, 0, page), nodeId: node.id },
    started(failed, { nodeId }),
    split(failed, 1),
    ...[1, 2].map((n) => trashed(failed, `${name}-x${n}`, { nodeId: node.id, message: json, body: Buffer.from('{}') })),
  ]
  await applyOutcomes(
    t.store,
    id,
    { epoch: 'e', from: await position(t.store, id, 'e'), to: outcomes.length },
    outcomes,
  )
  await t.store.transaction(async (inside) => {
    const watermark = await lockWatermark(inside, { topologyId: id, nodeId: node.id, tenant: null })
    await setWatermark(inside, watermark, { watermark: '1', by: 'ann', reason: null }, null)
  })
  return { id, node, cursor: readingOf(node.id, running), watermark: watermarkIdOf(id, node.id, null) }
}

/** A token's text. */
export async function tokenOf(t: TestApi, scopes: readonly Scope[], more: Partial<Token> = {}): Promise<string> {
  const text = newTokenText()
  await insertToken(t.store, text, { name: scopes.join(), scopes, topologyId: null, expiresAt: null, ...more })
  return text
}

/** Logs in; `cookie` as a browser would send it back. */
export async function logIn(
  t: TestApi,
  token: string,
  headers: Record<string, string> = {},
): Promise<{ readonly answer: Answer; readonly cookie: string }> {
  const answer = await t.send('POST', '/api/session', { token: null, json: { token }, headers })
  return { answer, cookie: (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '' }
}

/** What a page of our own adds to a change. */
export const fromHere = { 'sec-fetch-site': 'same-origin', 'sluice-csrf': '1' }
