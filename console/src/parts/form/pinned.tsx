import { Fragment, useState } from 'react'
import type { ReactNode } from 'react'

/** As it was read, with the ETag of just that. */
interface Read<T> {
  readonly data: T
  readonly etag: string | null
}

/** What is told of it: names and texts. */
export type Told = readonly (readonly [name: string, text: string])[]

export interface Change {
  readonly name: string
  readonly before: string
  readonly now: string
}

/** What is known when somebody else was faster, and what can be done then. */
export interface Race {
  /** What of it is another now; null: nothing newer was read. */
  readonly changes: readonly Change[] | null
  /** The refusal after which it was looked at again; what is typed was kept. */
  readonly kept: unknown
  /** Begins anew with what is stored. */
  readonly take: () => void
  /** Keeps what is typed: from now on it goes by what is stored. */
  readonly keep: (error: unknown) => void
  readonly again: () => void
}

export type Pin<T> = Read<T> & { readonly race: Race }

interface PinnedProps<T> {
  /** As it was read last: it may be another one at any time. */
  readonly live: Read<T>
  readonly again: () => void
  readonly tell: (data: T) => Told
  readonly children: (pin: Pin<T>) => ReactNode
}

/**
 * Holds on to what a form was opened with, values and ETag together, however often the page is read anew behind it: what somebody else
 * changes meanwhile is refused when the form is sent, and then told, instead of being overwritten.
 */
export function Pinned<T>({ live, again, tell, children }: PinnedProps<T>) {
  const [{ read, round, kept }, set] = useState<{ read: Read<T>; round: number; kept: unknown }>({
    read: live,
    round: 0,
    kept: null,
  })
  const race: Race = {
    changes: live.etag === read.etag ? null : changesOf(tell(read.data), tell(live.data)),
    kept,
    take: () => set({ read: live, round: round + 1, kept: null }),
    keep: (error) => set({ read: live, round, kept: error }),
    again,
  }
  return <Fragment key={round}>{children({ ...read, race })}</Fragment>
}

function changesOf(before: Told, now: Told): Change[] {
  const names = [...new Set([...before, ...now].map(([name]) => name))]
  return names
    .map((name) => ({ name, before: textOf(before, name), now: textOf(now, name) }))
    .filter((one) => one.before !== one.now)
}

function textOf(told: Told, name: string): string {
  return told.find(([one]) => one === name)?.[1] ?? 'none'
}
