import { useState } from 'react'
import type { TrashHead } from '../../api/engine.ts'
import { failed } from '../../parts/toast.ts'

/** As many as one bulk takes by their ids. */
const selectedMax = 10_000

export interface Selection {
  readonly ids: ReadonlySet<string>
  readonly toggle: (rows: readonly TrashHead[], left: number) => void
  readonly clear: () => void
}

/** Of one filter: another one has another selection. */
export function useSelection(filterName: string): Selection {
  const [{ of, ids }, set] = useState<{ of: string; ids: ReadonlySet<string> }>({ of: filterName, ids: new Set() })
  const mine = of === filterName ? ids : new Set<string>()
  return {
    ids: mine,
    clear: () => set({ of: filterName, ids: new Set() }),
    toggle(rows, left) {
      const open = rows.filter(({ state }) => state === 'open').map(({ id }) => id)
      const isAll = open.every((id) => mine.has(id))
      const next = new Set(mine)
      for (const id of open) {
        if (isAll) next.delete(id)
        else next.add(id)
      }
      if (left > 0 || next.size > selectedMax)
        return failed(
          'That is too much to be selected row by row',
          new Error('Use “Replay all” or “Discard all” above the list, with a filter that leaves what you mean.'),
        )
      set({ of: filterName, ids: next })
    },
  }
}
