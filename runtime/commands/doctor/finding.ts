/** What was looked at: how it is, or what is wrong with it and what to do. A warning mends itself, or may. */
export interface Finding {
  readonly part: string
  readonly state: 'ok' | 'warning' | 'wrong' | 'not checked'
  readonly text: string
}

/** A part that was reached, and its clock less ours; null when it doesn't tell. */
export interface Reached {
  readonly findings: readonly Finding[]
  readonly clockAheadMs: number | null
}
