/** Times of filters, as addresses have them: an age such as `24h`, which moves with the clock, or a time. */
export const ages = [
  { value: '15m', label: 'last 15 minutes', ms: 900_000 },
  { value: '1h', label: 'last hour', ms: 3_600_000 },
  { value: '24h', label: 'last 24 hours', ms: 86_400_000 },
  { value: '7d', label: 'last 7 days', ms: 604_800_000 },
  { value: '30d', label: 'last 30 days', ms: 2_592_000_000 },
] as const

const minuteMs = 60_000

/** For the API. By the minute, so that the same is asked for again and not something else each time. */
export function timeOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const age = ages.find((one) => one.value === value)
  if (age) return new Date(Math.floor((Date.now() - age.ms) / minuteMs) * minuteMs).toISOString()
  const at = new Date(value)
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString()
}

export function earlier(a: string | null | undefined, b: string | null | undefined): string | undefined {
  if (!a || !b) return (a || b) ?? undefined
  return a < b ? a : b
}

export function later(a: string | null | undefined, b: string | null | undefined): string | undefined {
  if (!a || !b) return (a || b) ?? undefined
  return a > b ? a : b
}
