import { useState } from 'react'
import type { Known } from './message.ts'

/** What somebody typed in the editor of a message and did not save yet, for what they changed; gone when the page is left. */
interface Typed {
  readonly text?: string
  readonly contentType?: string
  readonly headerText?: string
  readonly reason?: string
}

/** The version that is edited, with its ETag: not the newest one any more when somebody else has saved since. */
interface Since {
  readonly version: number
  readonly etag: string | null
}

interface Kept {
  readonly typed: Typed
  readonly since: Since
}

const kept = new Map<string, Kept>()

export function hasTyped(id: string): boolean {
  return kept.has(id)
}

export function dropTyped(id: string): void {
  kept.delete(id)
}

function sinceOf({ item, etag }: Known): Since {
  return { version: item.versions.length, etag }
}

/** What is typed, and on which version: both stay as they are when the message is read anew, and while another one is looked at. */
export function useTyped(known: Known) {
  const { id } = known.item
  const [{ typed, since }, setState] = useState<Kept>(() => kept.get(id) ?? { typed: {}, since: sinceOf(known) })
  // By what is kept: a file is read for a while, and something may be typed meanwhile.
  const put = (change: (before: Kept) => Kept): void => {
    const next = change(kept.get(id) ?? { typed, since })
    kept.set(id, next)
    setState(next)
  }
  return {
    typed,
    since,
    set: (change: Typing): void => put((before) => ({ ...before, typed: changed(before.typed, change) })),
    /** Goes on with that version; what was not changed is as it is there. */
    goOnWith: (newer: Known): void => put((before) => ({ ...before, since: sinceOf(newer) })),
    /** The same, and drops what is typed. */
    take: (newer: Known): void => put(() => ({ typed: {}, since: sinceOf(newer) })),
  }
}

/** Undefined: as it is stored. */
type Typing = { readonly [K in keyof Typed]: Typed[K] | undefined }

function changed(typed: Typed, change: Typing): Typed {
  return Object.fromEntries(Object.entries({ ...typed, ...change }).filter(([, value]) => value !== undefined))
}
