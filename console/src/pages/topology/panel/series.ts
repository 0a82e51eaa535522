import type { NodeHistory, NodeHistoryPoint } from '../../../../../runtime/client/openapi.d.ts'

export const ranges = {
  '15m': { label: '15 minutes', ms: 15 * 60_000 },
  '24h': { label: '24 hours', ms: 24 * 3_600_000 },
} as const
export type Range = keyof typeof ranges

type Kind = Exclude<keyof NodeHistoryPoint, 'at'>

export interface Series {
  /** Seconds since 1970. */
  readonly times: readonly number[]
  readonly columns: Readonly<Record<Kind, readonly (number | null)[]>>
  /** From when until when, whatever was seen in between. */
  readonly span: readonly [number, number]
}

/** Where nobody looked there is a gap, not a line. `now`: when it was asked for, in milliseconds. */
export function seriesOf({ points, stepSeconds }: NodeHistory, range: Range, now: number): Series {
  const times: number[] = []
  const rows: (NodeHistoryPoint | null)[] = []
  for (const point of points) {
    const at = Date.parse(point.at) / 1_000
    const last = times.at(-1)
    if (last !== undefined && at - last > stepSeconds * 1.5) {
      times.push(last + stepSeconds)
      rows.push(null)
    }
    times.push(at)
    rows.push(point)
  }
  const column = (kind: Kind) => rows.map((row) => row?.[kind] ?? null)
  // The engine's clock may be ahead of this one: what it saw last is shown.
  const until = Math.max(now / 1_000, times.at(-1) ?? 0)
  return {
    times,
    columns: {
      waiting: column('waiting'),
      ratePerSecond: column('ratePerSecond'),
      inFlight: column('inFlight'),
      failed: column('failed'),
    },
    span: [until - ranges[range].ms / 1_000, until],
  }
}
