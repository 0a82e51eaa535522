/** What the API answers of a node's queue, as far as commands look at it. */
import type { MessageError, Payload } from '../../../client/shapes.ts'

export interface Why {
  readonly topology: string
  readonly node: string
  readonly pending: number
  readonly inFlight: number
  readonly delayed: number
  readonly replies: number
  readonly blockers: readonly {
    readonly kind: string
    readonly of: string
    readonly count: number
    readonly text: string
    readonly since: string | null
    readonly until: { readonly first: string; readonly last: string } | null
  }[]
  readonly estimate: {
    readonly secondsLeft: number | null
    readonly ratePerSecond: number | null
    readonly reason: string | null
  }
  readonly notes: readonly string[]
}

export interface Message extends Payload {
  readonly sequence: number
  readonly id: string
  readonly runId: string
  readonly key: string | null
  readonly tenant: string | null
  readonly attempt: number
  readonly enqueuedAt: string
  readonly size: number
  readonly truncated: boolean
}

export interface Peeked extends Message {
  readonly state: string
  readonly at: string | null
}

interface Shown extends Payload {
  readonly size: number
  readonly truncated: boolean
}

export interface Trial {
  readonly id: string
  readonly of: string
  readonly instance: string | null
  readonly request: Shown & { readonly path: string }
  readonly result: string
  readonly reply: (Shown & { readonly status: number }) | null
  readonly durationMs: number
  readonly verdict: {
    readonly kind: string
    readonly text: string
    readonly outputs: readonly (Shown & { readonly followers: readonly string[] })[]
    readonly outputsTotal: number
    readonly problem: MessageError | null
  }
}
