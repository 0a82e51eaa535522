/** What the API answers, as far as commands look at it. */

export interface Topology {
  readonly id: string
  readonly name: string
  readonly visibility: 'draft' | 'public'
  readonly enabled: boolean
  readonly paused: boolean
  readonly bridgeOutOfSync: boolean
  readonly revision: number
  readonly document: Readonly<Record<string, unknown>>
}

export interface Node {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly paused: boolean | null
  readonly pausedReason: string | null
}

export interface Run {
  readonly id: string
  readonly topology: string
  readonly state: 'running' | 'finished' | 'failed' | 'cancelled'
  readonly startedAt: string
  readonly finishedAt: string | null
  readonly messages: {
    readonly total: number
    readonly done: number
    readonly failed: number
    readonly discarded: number
    readonly cancelled: number
    readonly inProgress: number
  }
}

export interface Queue {
  readonly node: string
  readonly pending: number
  readonly inFlight: number
  readonly replies: number
}

export interface MessageError {
  readonly title: string
  readonly status?: number
  readonly detail?: string
}

/** `body` is JSON for a JSON message, a string for other text; `bodyBase64` is for the rest. */
export interface Payload {
  readonly contentType: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly bodyBase64?: string
}

export interface TrashHead {
  readonly id: string
  readonly topology: string
  readonly node: string
  readonly runId: string
  readonly error: MessageError
  readonly state: string
  readonly createdAt: string
}

export interface TrashItem extends TrashHead, Payload {
  readonly messageId: string
  readonly attempts: readonly {
    readonly attempt: number
    readonly at: string
    readonly instance: string | null
    readonly status: number | null
    readonly problem: MessageError
    readonly durationMs: number
  }[]
  readonly versions: readonly (Payload & {
    readonly version: number
    readonly by: string
    /** Null when none was given. */
    readonly reason: string | null
    readonly createdAt: string
  })[]
}
