import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { answerOf, dataOf, engine, ifMatch, statusOf } from '../../../api/engine.ts'
import type { EditedTrashMessage, TrashMessage } from '../../../api/engine.ts'
import { keys } from '../../../api/keys.ts'
import { shownOf } from '../../../api/problem.ts'
import { useWhyNot } from '../../../api/session.ts'
import { bodyOf } from '../../../parts/body/text.ts'
import type { Body } from '../../../parts/body/text.ts'
import { reasonOf } from '../../../parts/form/why.tsx'
import { useMarkSettling } from './settling.ts'

export interface Known {
  readonly item: TrashMessage
  /** What a change is based on. */
  readonly etag: string | null
}

const messageQuery = (id: string) =>
  queryOptions({
    queryKey: keys.message(id),
    queryFn: async ({ signal }): Promise<Known> => {
      const { data, etag } = await answerOf(engine.GET('/api/trash/{id}', { params: { path: { id } }, signal }))
      return { item: data, etag }
    },
  })

export function useMessage(id: string) {
  return useQuery(messageQuery(id))
}

export interface Content {
  readonly version: number
  readonly body: Body
  readonly headers: Readonly<Record<string, string>>
}

const contentQuery = (id: string, version: number) =>
  queryOptions({
    queryKey: [...keys.trashBody(id), version],
    queryFn: async ({ signal }): Promise<Content> => {
      const params = { path: { id }, query: { version } }
      const { headers, contentType, bodyBase64 } = await dataOf(engine.GET('/api/trash/{id}/body', { params, signal }))
      return { version, headers, body: bodyOf(contentType, bodyBase64) }
    },
    staleTime: Infinity,
    gcTime: 60_000,
  })

/** What a version holds, byte by byte; versions never change. */
export function useContent(id: string, version: number) {
  const isAllowed = useWhyNot('payload') === null
  return useQuery({ ...contentQuery(id, version), enabled: isAllowed })
}

export interface Edit {
  readonly bodyBase64?: string
  readonly headers?: Record<string, string>
  readonly contentType?: string
  readonly reason?: string
}

/** The editor asks for it again, and tells then. */
const untold = (): void => undefined

interface Saved extends Known {
  readonly item: EditedTrashMessage
}

/** Saves a new version, on the condition that nobody was faster than who edits since the version with that ETag. */
export function useSave(id: string, etag: string | null) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: async (body: Edit): Promise<Saved> => {
      const sending = { params: { path: { id } }, body, headers: ifMatch(etag) }
      const { data, etag: next } = await answerOf(engine.PUT('/api/trash/{id}', sending))
      const saved = { item: data, etag: next }
      client.setQueryData<Known>(keys.message(id), saved)
      // Whoever goes on editing, since it doesn't fit or isn't sent, goes on with what is stored now.
      await client.query(contentQuery(id, data.versions.length)).catch(untold)
      return saved
    },
    // What somebody else saved is told with the refusal.
    onError: (error) => statusOf(error) === 412 && client.invalidateQueries({ queryKey: keys.message(id) }),
  })
}

export interface Replaying {
  readonly node?: string
  readonly newestRevision?: boolean
  readonly acceptWarnings?: boolean
}

/** Sends it again. It shows at once as on its way; the list follows when the engine has recorded it. */
export function useReplay(id: string) {
  const mark = useMarkSettling()
  return useMutation({
    mutationFn: (body: Replaying) => dataOf(engine.POST('/api/trash/{id}/replay', { params: { path: { id } }, body })),
    onSuccess: () => mark(id, 'replaying'),
  })
}

export function useDiscard(id: string) {
  const mark = useMarkSettling()
  return useMutation({
    mutationFn: (reason: string) =>
      dataOf(engine.POST('/api/trash/{id}/discard', { params: { path: { id } }, body: reasonOf(reason) })),
    onSuccess: () => mark(id, 'discarding'),
  })
}

/** The body doesn't fit what the node's worker says it takes, or that couldn't be checked. */
export function isMismatch(error: unknown): boolean {
  return shownOf(error).type === 'urn:sluice:schema-mismatch'
}
