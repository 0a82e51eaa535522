import { endsOfSessions } from '../../store/queries/sessions.ts'
import { endsOfTokens } from '../../store/queries/tokens.ts'
import type { Ends } from '../../store/queries/tokens.ts'
import { textOf } from '../../errors.ts'
import type { ApiDeps, Caller } from '../deps.ts'

/** Answers that stay open: each ends with what its caller came with. */
export interface Visits {
  /**
   * Calls `end` once the token or the login is no longer good, whoever ended it and at whichever control: at most about a second
   * later. With Postgres away, or silent, it goes by what was known last. The returned function forgets the visit.
   */
  join(caller: Caller, end: () => void): () => void
}

interface Visit {
  readonly caller: Caller
  readonly end: () => void
  /** When the token or the login ends by itself, as known last; null: never. */
  until: Date | null
}

const lookMs = 1_000
/** What isn't answered for so long goes by what was known last. */
const silentMs = 3_000

/** One look at all of them, however many there are; with none it does nothing. */
export function openVisits(deps: Pick<ApiDeps, 'store' | 'access' | 'log'>): Visits {
  const visits = new Set<Visit>()
  let timer: NodeJS.Timeout | null = null
  /** Null: nothing is asked; else since when, by performance.now(). */
  let askedAt: number | null = null
  const look = (): void => {
    // The answer may be long in coming. A token's end is fixed; that of a login moves on when it is used, which only Postgres knows.
    const isSilent = askedAt !== null && performance.now() - askedAt > silentMs
    endOver(
      [...visits].filter(({ caller }) => isSilent || caller.sessionId === null),
      visits,
    )
    if (askedAt === null) {
      askedAt = performance.now()
      void ask(deps, visits).finally(() => (askedAt = null))
    }
    later()
  }
  const later = (): void => {
    timer = visits.size === 0 ? null : setTimeout(look, lookMs).unref()
  }
  return {
    join(caller, end) {
      const visit: Visit = { caller, end, until: caller.expiresAt }
      visits.add(visit)
      if (timer === null) later()
      return () => void visits.delete(visit)
    },
  }
}

async function ask(deps: Pick<ApiDeps, 'store' | 'access' | 'log'>, visits: Set<Visit>): Promise<void> {
  try {
    await renew(deps, [...visits])
  } catch (error) {
    deps.log.warn('whether open answers may go on can not be asked', { error: textOf(error) })
  }
  endOver([...visits], visits)
}

function endOver(judged: readonly Visit[], visits: Set<Visit>): void {
  const now = new Date()
  for (const visit of judged) {
    if (visit.until === null || visit.until > now) continue
    visits.delete(visit)
    visit.end()
  }
}

/** Notes of each when it ends; of what is gone, that it has ended. */
async function renew({ store, access }: Pick<ApiDeps, 'store' | 'access'>, asked: readonly Visit[]): Promise<void> {
  const idsOf = (kind: 'tokenId' | 'sessionId') => [...new Set(asked.flatMap(({ caller }) => caller[kind] ?? []))]
  const tokens = await endsOfTokens(store, idsOf('tokenId'))
  const sessions = await endsOfSessions(store, idsOf('sessionId'), access.sessionIdleMs)
  for (const visit of asked) {
    const { tokenId, sessionId } = visit.caller
    visit.until = soonest(endOf(tokens, tokenId), endOf(sessions, sessionId))
  }
}

const gone = new Date(0)

function endOf(ends: Ends, id: string | null): Date | null {
  if (id === null) return null
  const end = ends.get(id)
  return end === undefined ? gone : end
}

function soonest(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return one ?? other
  return one < other ? one : other
}
