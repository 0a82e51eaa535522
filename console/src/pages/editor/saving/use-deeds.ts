import { useCallback, useEffect, useRef } from 'react'
import { statusOf } from '../../../api/engine.ts'
import type { Topology } from '../../../api/engine.ts'
import { shownOf } from '../../../api/problem.ts'
import { jsonFault } from '../../../parts/body/json-fault.ts'
import { failed, told } from '../../../parts/toast.ts'
import type { EditorState } from '../state/state.ts'
import type { Saving } from './use-save.ts'

export interface Deeds {
  /** Stores the draft, and tells what became of it. */
  readonly save: () => void
  /** Null: it can be saved. */
  readonly whyNotSave: string | null
}

/** What somebody asks for by a button or by keys. */
export function useDeeds({ unread }: EditorState, saving: Saving): Deeds {
  const asked = useRef<Promise<Topology> | null>(null)
  const isUnread = Object.values(unread).some((text) => text.trim() !== '' && jsonFault(text) !== null)
  const whyNotSave = isUnread ? 'Something can’t be read yet: mend what is marked first' : null
  const store = async (): Promise<void> => {
    if (whyNotSave !== null) {
      failed('Not saved', new Error(whyNotSave))
      return
    }
    const saved = saving.save()
    // Asked for twice, it is told once.
    if (asked.current === saved) return
    asked.current = saved
    try {
      await saved
      told('The draft is saved')
    } catch (error) {
      // A race is told by a dialog of its own.
      if (statusOf(error) !== 412) failed(`Not saved: ${shownOf(error).title.toLowerCase()}`, error)
    }
  }
  // Keys call what is right now, without being bound anew at every letter.
  const now = useRef(store)
  useEffect(() => {
    now.current = store
  })
  return { save: useCallback(() => void now.current(), []), whyNotSave }
}
