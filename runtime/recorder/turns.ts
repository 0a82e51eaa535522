import { SharedCell } from '../limiter/cell.ts'
import { asDeclared, noPermits } from '../limiter/permits.ts'
import type { PermitState } from '../limiter/permits.ts'
import { limitId, tiersOf } from '../limiter/rules.ts'
import type { Tier } from '../limiter/tiers.ts'
import { closeTurns, takeTurns } from '../limiter/turns.ts'
import type { Cells } from '../queue/limits/cells.ts'
import type { Limited } from '../queue/limits/told.ts'
import type { ServiceLimits } from '../topology/limits/limits.ts'

/** The lines of turns of a service's tenants, drawn up anew by what holds now. */
export interface NewTurns {
  /** Milliseconds of the epoch. */
  next(who: string | null, cost: number): Promise<number>
  /** Who is put off from now on comes after all of them. */
  close(): Promise<void>
}

/** A key whose messages get their turns anew. */
interface Line {
  readonly cell: SharedCell<PermitState>
  /** No turn is sooner. */
  readonly from: number
  state: PermitState
}

interface Shared {
  readonly cells: Cells
  /** What asked to wait, by id. */
  readonly limited: ReadonlyMap<string, Limited>
}

/** Keys that are known at a time. */
const keysMax = 1_000

/** `limits` null: there are none. Keeps the lines of so many tenants in memory; those that come first are stored, and read again when they are wanted. */
export function openTurns({ cells, limited }: Shared, service: string, limits: ServiceLimits | null): NewTurns {
  const tiers: readonly Tier[] = limits === null ? [] : tiersOf(limits, 'tenant')
  const lines = new Map<string, Line>()
  const begun = new Set<string>()
  const store = async (id: string, { cell, state: { line, turn } }: Line): Promise<void> => {
    await cell.update((state) => ({ state: line === undefined ? closeTurns(state, 0) : { ...state, line, turn } }))
    lines.delete(id)
  }
  const open = async (id: string): Promise<Line> => {
    const [first] = lines
    if (lines.size >= keysMax && first !== undefined) await store(...first)
    const cell = new SharedCell(cells, id, noPermits)
    const from = Math.max(Date.now(), Date.parse(limited.get(id)?.until ?? '') || 0)
    const { state } = await cell.update((known) => ({ state: known }))
    const declared = asDeclared(state, tiers, from)
    const line = { cell, from, state: begun.has(id) ? declared : closeTurns(declared, 0) }
    lines.set(id, line)
    begun.add(id)
    return line
  }
  return {
    async next(who, cost) {
      const id = limitId({ kind: 'service', service, who, isOwn: true })
      const line = lines.get(id) ?? (await open(id))
      if (tiers.length === 0) return line.from
      const { state, instants } = takeTurns(line.state, tiers, line, [cost])
      line.state = state
      return instants[0] ?? line.from
    },
    async close() {
      for (const one of [...lines]) await store(...one)
    },
  }
}
