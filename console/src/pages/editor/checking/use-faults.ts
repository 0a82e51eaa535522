import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { dataOf, engine } from '../../../api/engine.ts'
import type { CheckedDocument } from '../../../api/engine.ts'
import { keys } from '../../../api/keys.ts'
import { shownOf } from '../../../api/problem.ts'
import { jsonFault } from '../../../parts/body/json-fault.ts'
import type { Drawing } from '../editing.ts'
import type { Graph } from '../state/graph.ts'
import type { EditorState } from '../state/state.ts'
import { placedIn, stillThere } from './faults.ts'
import type { Placed } from './faults.ts'
import { settingsFaults } from './settings.ts'

const typingMs = 400

export interface Checked {
  readonly faults: readonly Placed[]
  /** What is shown is of an older draft than the one that is drawn. */
  readonly isOld: boolean
  readonly error: unknown
  /** What publishing would change, and what it would leave behind; null: not known yet. */
  readonly told: CheckedDocument | null
}

/** All that is wrong with the draft: as publishing would say it, as workers would, and what can't be read at all. */
export function useFaults(
  topology: string,
  { state: { graph, unread }, toDocument, workers }: Drawing,
  refused: { readonly of: Graph; readonly error: unknown } | null,
): Checked {
  const [settled] = useDebouncedValue(graph, typingMs)
  const document = useMemo(() => toDocument(settled), [toDocument, settled])
  const { data, error, isPlaceholderData } = useQuery({
    queryKey: keys.checks(topology, document),
    queryFn: async () => {
      const params = { path: { topology } }
      const told = await dataOf(engine.POST('/api/topologies/{topology}/check', { params, body: document }))
      return { told, faults: placedIn(settled, told.errors) }
    },
    placeholderData: keepPreviousData,
    gcTime: 0,
  })
  const ofWorkers = useMemo(() => settingsFaults(graph, workers), [graph, workers])
  const faults = useMemo(() => {
    const atSave = refused?.of === graph ? placedIn(refused.of, shownOf(refused.error).errors) : []
    const all = [...unreadFaults(unread), ...atSave, ...(data?.faults ?? []), ...ofWorkers]
    return distinct(stillThere(all, graph))
  }, [unread, refused, graph, data, ofWorkers])
  return { faults, isOld: isPlaceholderData || settled !== graph, error, told: data?.told ?? null }
}

/** Texts are kept by `key field`. */
function unreadFaults(unread: EditorState['unread']): Placed[] {
  return Object.entries(unread).flatMap(([at, text]): Placed[] => {
    const message = jsonFault(text)
    const [key = '', ...names] = at.split(' ')
    const field = names.join(' ')
    return message === null ? [] : [{ of: 'node', key, field, message }]
  })
}

function distinct(faults: readonly Placed[]): Placed[] {
  const seen = new Map(faults.map((fault) => [`${fault.key ?? ''} ${fault.field} ${fault.message}`, fault]))
  return [...seen.values()]
}
