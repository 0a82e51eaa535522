/** What was looked at: how it is, or what is wrong with it and what to do. */
export interface Finding {
  readonly part: string
  readonly state: 'ok' | 'wrong' | 'not checked'
  readonly text: string
}

/** A part that was reached, and its clock less ours; null when it doesn't tell. */
export interface Reached {
  readonly findings: readonly Finding[]
  readonly clockAheadMs: number | null
}
