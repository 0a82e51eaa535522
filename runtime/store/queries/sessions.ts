import { createHmac, randomBytes } from 'node:crypto'
import { and, eq, gt, inArray, isNull, lt, or } from 'drizzle-orm'
import { newId } from '../../ids.ts'
import { sessions, tokens } from '../schema/index.ts'
import type { Store } from '../store.ts'
import { hashToken, withoutHash } from './tokens.ts'
import type { Ends, Token } from './tokens.ts'

/**
 * Logins of browsers. A session of a token ends with it. A session of the options' admin token is hashed with that token as the key,
 * so that it is found only as long as the token stays the same.
 */
export type Session = Omit<typeof sessions.$inferSelect, 'hash'>

/** Whose session it is; `token` null: of the admin token. */
export interface Found {
  readonly session: Session
  readonly token: Token | null
}

/** A new session's cookie; only its hash is kept. */
export function newCookie(): string {
  return `slws_${randomBytes(32).toString('base64url')}`
}

/** What `newCookie` makes; anything else need not be looked up. */
const cookieText = /^slws_[\w-]{43}$/

function adminHash(cookie: string, adminToken: string): string {
  return createHmac('sha256', adminToken).update(cookie).digest('hex')
}

/** `tokenId` null: of the admin token. */
export async function insertSession(
  store: Store,
  cookie: string,
  { tokenId, expiresAt, adminToken }: { tokenId: string | null; expiresAt: Date; adminToken: string },
): Promise<Session> {
  const hash = tokenId === null ? adminHash(cookie, adminToken) : hashToken(cookie)
  const now = new Date()
  const row = { id: newId(), hash, tokenId, expiresAt, createdAt: now, lastUsedAt: now }
  await store.query((db) => db.insert(sessions).values(row))
  return withoutHash(row)
}

const useStepMs = 60_000

/**
 * The session of this cookie, unless it or its token has expired, or it wasn't used for `idleMs`. Notes its use, at most once a
 * minute, or as often as `idleMs` needs.
 */
export async function findSession(
  store: Store,
  cookie: string,
  { idleMs, adminToken }: { readonly idleMs: number; readonly adminToken: string },
): Promise<Found | null> {
  if (!cookieText.test(cookie)) return null
  const now = new Date()
  const hashes = [hashToken(cookie), adminHash(cookie, adminToken)]
  const valid = and(
    inArray(sessions.hash, hashes),
    gt(sessions.expiresAt, now),
    gt(sessions.lastUsedAt, new Date(now.getTime() - idleMs)),
    or(isNull(tokens.expiresAt), gt(tokens.expiresAt, now)),
  )
  const [row] = await store.query((db) =>
    db.select().from(sessions).leftJoin(tokens, eq(tokens.id, sessions.tokenId)).where(valid),
  )
  if (!row) return null
  const session = withoutHash(row.sessions)
  const token = row.tokens && withoutHash(row.tokens)
  const stepMs = Math.min(useStepMs, idleMs / 10)
  if (now.getTime() - session.lastUsedAt.getTime() <= stepMs) return { session, token }
  await store.query((db) => db.update(sessions).set({ lastUsedAt: now }).where(eq(sessions.id, session.id)))
  return { session: { ...session, lastUsedAt: now }, token }
}

/** When sessions end if nobody uses them any more; not when their tokens do. */
export async function endsOfSessions(store: Store, ids: readonly string[], idleMs: number): Promise<Ends> {
  if (ids.length === 0) return new Map()
  const { id, expiresAt, lastUsedAt } = sessions
  const rows = await store.query((db) =>
    db
      .select({ id, expiresAt, lastUsedAt })
      .from(sessions)
      .where(inArray(id, [...ids])),
  )
  return new Map(
    rows.map((row) => [row.id, new Date(Math.min(row.expiresAt.getTime(), row.lastUsedAt.getTime() + idleMs))]),
  )
}

/** Null when it has ended before. */
export async function deleteSession(store: Store, id: string): Promise<Session | null> {
  const [row] = await store.query((db) => db.delete(sessions).where(eq(sessions.id, id)).returning())
  return row ? withoutHash(row) : null
}

/** Deletes those that ended before. */
export async function deleteEndedSessions(store: Store, { idleMs }: { readonly idleMs: number }): Promise<void> {
  const now = Date.now()
  const ended = or(lt(sessions.expiresAt, new Date(now)), lt(sessions.lastUsedAt, new Date(now - idleMs)))
  await store.query((db) => db.delete(sessions).where(ended))
}
