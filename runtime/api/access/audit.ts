import { setTimeout as wait } from 'node:timers/promises'
import type { Context, MiddlewareHandler } from 'hono'
import { textOf } from '../../errors.ts'
import { newId } from '../../ids.ts'
import { insertAudit } from '../../store/queries/audit.ts'
import type { Store } from '../../store/store.ts'
import { storable } from '../../store/text.ts'
import type { ApiEnv, Changing } from '../deps.ts'
import type { Change, Fields } from './change.ts'
import { difference } from './difference.ts'

const pathMax = 500

/** For a route that changes something: its handler writes what it changed with `c.get('audit')`. */
export function audited(action: string): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    c.set('audit', (inside, change, id = newId()) => write(c, action, inside, { ...change, rowId: id }))
    await next()
  }
}

async function write(c: Context<ApiEnv>, action: string, inside: Store, change: Change & { rowId: string }) {
  const { name: who, tokenId, sessionId } = c.get('caller')
  const { rowId, kind, id, name, topologyId } = change
  const { before, after } = difference(change.before, change.after)
  if (isNothing(before) && isNothing(after)) return
  await insertAudit(inside, {
    id: rowId,
    who,
    tokenId,
    sessionId,
    address: c.get('address'),
    action,
    method: c.req.method,
    path: storable(c.req.path.slice(0, pathMax)),
    topologyId,
    kind,
    targetId: id,
    targetName: name,
    before,
    after,
  })
}

/** Both sides are there, and nothing of them differs. */
function isNothing(side: Fields | null): boolean {
  return side !== null && Object.keys(side).length === 0
}

const lateTries = 5
const lateWaitMs = 400

/**
 * For a change that only NATS keeps, and that can't be made twice. Its row is written first and committed when the change is made, so a
 * change that fails is in no log. If Postgres goes away between the two the row follows; if it stays away, the engine's own log has it.
 */
export async function changeOutside(
  deps: Pick<Changing, 'store' | 'log' | 'audit'>,
  change: Change,
  work: (inside: Store) => Promise<void>,
): Promise<void> {
  const id = newId()
  const done = { isMade: false }
  try {
    await deps.store.transaction(async (inside) => {
      await deps.audit(inside, change, id)
      await work(inside)
      done.isMade = true
    })
  } catch (error) {
    if (!done.isMade) throw error
    await writeLate(deps, change, id)
  }
}

/** With the id that the lost commit may have stored. */
async function writeLate(
  { store, log, audit }: Pick<Changing, 'store' | 'log' | 'audit'>,
  change: Change,
  id: string,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await audit(store, change, id)
    } catch (error) {
      const { kind, id: targetId, after } = change
      if (tries === lateTries)
        return log.error('the audit log lacks a change', { kind, id: targetId, after, error: textOf(error) })
      await wait(lateWaitMs)
    }
  }
}
