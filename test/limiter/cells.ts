import type { Cells } from '../../runtime/queue/limits/cells.ts'

/** States in memory. `hold`: what writes wait for, and fail if it fails. */
export interface MemoryCells extends Cells {
  hold: (id: string) => Promise<void>
  /** Null: nothing is kept. */
  state(id: string): unknown
}

export function memoryCells(known: Readonly<Record<string, unknown>> = {}): MemoryCells {
  const cells = new Map(Object.entries(known).map(([id, state]) => [id, { state: JSON.stringify(state), revision: 1 }]))
  return {
    hold: () => Promise.resolve(),
    state(id) {
      const text = cells.get(id)?.state
      return text === undefined ? null : (JSON.parse(text) as unknown)
    },
    read: (id) => Promise.resolve(cells.get(id) ?? { state: null, revision: 0 }),
    async write(id, state, revision) {
      await this.hold(id)
      if ((cells.get(id)?.revision ?? 0) !== revision) return null
      cells.set(id, { state, revision: revision + 1 })
      return revision + 1
    },
  }
}
