import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { answerOf, engine, ifMatch, statusOf } from '../../../api/engine.ts'
import type { Topology, TopologyDocument } from '../../../api/engine.ts'
import type { Answer } from '../../../../../runtime/client/index.ts'
import { useAgain } from '../../topology/actions/use-deed.ts'
import type { Drawing } from '../editing.ts'
import { graphOf, isSame } from '../state/graph.ts'
import type { Graph } from '../state/graph.ts'
import { isChanged } from '../state/state.ts'
import type { EditorState } from '../state/state.ts'

export interface Saving {
  /**
   * Stores the draft, on the condition that nobody else has since it was read; with an ETag given, since that. Throws what was refused. While a save is
   * under way it is that one, and where somebody has gone on editing since, one more after it.
   */
  readonly save: (over?: string | null) => Promise<Topology>
  readonly isSaving: boolean
  /** Of the draft that is edited. */
  readonly etag: string | null
  /** Goes on from what somebody else has saved. */
  readonly goOn: (topology: Topology, etag: string | null) => void
  /** Somebody else has saved since it was read. */
  readonly isLate: boolean
  readonly setLate: (isLate: boolean) => void
  /** What was refused last, and of which graph. */
  readonly refused: { readonly of: Graph; readonly error: unknown } | null
}

export function useSave(id: string, readEtag: string | null, { state, dispatch, toDocument }: Drawing): Saving {
  const [etag, setEtag] = useState(readEtag)
  const [isLate, setLate] = useState(false)
  const [refused, setRefused] = useState<Saving['refused']>(null)
  const again = useAgain()
  const { graph, saved } = state
  const { mutateAsync, isPending } = useMutation({
    mutationFn: async (over: string | null) => {
      const body = toDocument(graph)
      try {
        return await put(id, body, over)
      } catch (error) {
        if (statusOf(error) !== 412) throw error
        const now = await answerOf(engine.GET('/api/topologies/{topology}', { params: { path: { topology: id } } }))
        // A publish or a pause makes another version, too: where the draft is still the one that was read, nobody loses anything.
        if (!isSame(graphOf(now.data.document), saved)) throw error
        return put(id, body, now.etag)
      }
    },
    onSuccess: async ({ data, etag: next }) => {
      setEtag(next)
      setLate(false)
      setRefused(null)
      dispatch({ kind: 'saved', document: data.document, of: graph })
      await again()
    },
    onError: (error) => {
      if (statusOf(error) === 412) setLate(true)
      else setRefused({ of: graph, error })
    },
  })
  const save = useOneAtATime(state, async (over = etag) => (await mutateAsync(over)).data)
  return {
    save,
    isSaving: isPending,
    etag,
    isLate,
    setLate,
    refused,
    goOn({ document }, next) {
      setEtag(next)
      setLate(false)
      dispatch({ kind: 'replace', document, isSaved: true })
    },
  }
}

type Save = (over?: string | null) => Promise<Topology>

/** Two saves at once would be a race of somebody with himself. */
function useOneAtATime(state: EditorState, begin: Save): Save {
  const now = useRef({ state, begin })
  useEffect(() => {
    now.current = { state, begin }
  })
  const underWay = useRef<{ readonly of: Graph; readonly done: Promise<Topology> } | null>(null)
  const next = useRef<Promise<Topology> | null>(null)
  const first: Save = (over) => {
    const done = now.current.begin(over).finally(() => {
      underWay.current = null
    })
    underWay.current = { of: now.current.state.graph, done }
    return done
  }
  const after = async (before: Promise<Topology>): Promise<Topology> => {
    try {
      const stored = await before
      return isChanged(now.current.state) ? await first() : stored
    } finally {
      next.current = null
    }
  }
  return (over) => {
    if (underWay.current === null) return first(over)
    if (underWay.current.of === now.current.state.graph) return underWay.current.done
    return (next.current ??= after(underWay.current.done))
  }
}

function put(topology: string, body: TopologyDocument, etag: string | null): Promise<Answer<Topology>> {
  const params = { path: { topology } }
  return answerOf(engine.PUT('/api/topologies/{topology}', { params, body, headers: ifMatch(etag) }))
}
