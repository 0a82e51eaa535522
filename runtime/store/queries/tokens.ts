import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { and, asc, eq, gt, inArray, isNull, lt, or } from 'drizzle-orm'
import { NotFound } from '../../errors.ts'
import { newId } from '../../ids.ts'
import { tokens } from '../schema/index.ts'
import type { Store } from '../store.ts'
import { storable } from '../text.ts'

export type Token = Omit<typeof tokens.$inferSelect, 'hash'>

/** A new token's text; only its hash is kept. */
export function newTokenText(): string {
  return `slw_${randomBytes(32).toString('base64url')}`
}

/** What `newTokenText` makes; anything else need not be looked up. */
const tokenText = /^slw_[\w-]{43}$/

/** For texts of 256 random bits: one that a person chose could be guessed from it. */
export function hashToken(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Compares without telling by its duration how much is alike. */
export function sameToken(one: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(hashToken(one)), Buffer.from(hashToken(other)))
}

export async function insertToken(
  store: Store,
  text: string,
  values: Pick<Token, 'name' | 'scopes' | 'topologyId' | 'expiresAt'>,
): Promise<Token> {
  const row = { id: newId(), hash: hashToken(text), ...values }
  const [added] = await store.query((db) => db.insert(tokens).values(row).returning())
  if (!added) throw new Error('an insert returned no row')
  return withoutHash(added)
}

const useStepMs = 60_000

/** The token of this text, unless it has expired. Notes its use, at most once a minute. */
export async function findToken(store: Store, text: string): Promise<Token | null> {
  if (!tokenText.test(text)) return null
  const hash = hashToken(text)
  const now = new Date()
  const valid = or(isNull(tokens.expiresAt), gt(tokens.expiresAt, now))
  const [row] = await store.query((db) =>
    db
      .select()
      .from(tokens)
      .where(and(eq(tokens.hash, hash), valid)),
  )
  if (!row || !timingSafeEqual(Buffer.from(row.hash), Buffer.from(hash))) return null
  const stale = or(isNull(tokens.lastUsedAt), lt(tokens.lastUsedAt, new Date(now.getTime() - useStepMs)))
  if (row.lastUsedAt === null || now.getTime() - row.lastUsedAt.getTime() > useStepMs)
    await store.query((db) =>
      db
        .update(tokens)
        .set({ lastUsedAt: now })
        .where(and(eq(tokens.id, row.id), stale)),
    )
  return withoutHash(row)
}

/** Id → when it ends by itself, null: never; without those that are there no more. */
export type Ends = ReadonlyMap<string, Date | null>

export async function endsOfTokens(store: Store, ids: readonly string[]): Promise<Ends> {
  if (ids.length === 0) return new Map()
  const { id, expiresAt } = tokens
  const rows = await store.query((db) =>
    db
      .select({ id, expiresAt })
      .from(tokens)
      .where(inArray(id, [...ids])),
  )
  return new Map(rows.map((row) => [row.id, row.expiresAt]))
}

/** By id. */
export async function listTokens(store: Store, limit: number, after: string | null): Promise<Token[]> {
  const where = after === null ? undefined : gt(tokens.id, after)
  const rows = await store.query((db) => db.select().from(tokens).where(where).orderBy(asc(tokens.id)).limit(limit))
  return rows.map((row) => withoutHash(row))
}

/** Throws `NotFound`. */
export async function getToken(store: Store, id: string): Promise<Token> {
  const [row] = await store.query((db) =>
    db
      .select()
      .from(tokens)
      .where(eq(tokens.id, storable(id))),
  )
  if (!row) throw new NotFound(`there is no token "${id}"`)
  return withoutHash(row)
}

/** Its sessions end with it. Throws `NotFound`. */
export async function deleteToken(store: Store, id: string): Promise<Token> {
  const [row] = await store.query((db) =>
    db
      .delete(tokens)
      .where(eq(tokens.id, storable(id)))
      .returning(),
  )
  if (!row) throw new NotFound(`there is no token "${id}"`)
  return withoutHash(row)
}

export function withoutHash<T extends { readonly hash: string }>({ hash: _, ...row }: T): Omit<T, 'hash'> {
  return row
}
