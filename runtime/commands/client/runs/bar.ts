/** A part of a time, as a bar of a waterfall. */

const width = 30

/** All in milliseconds. Never shorter than one character, never out of the picture. */
export function barOf(
  { from, to }: { readonly from: number; readonly to: number },
  first: number,
  last: number,
): string {
  const extent = Math.max(1, to - from)
  const place = (time: number): number => Math.min(width, Math.max(0, Math.round(((time - from) / extent) * width)))
  const begin = Math.min(place(first), width - 1)
  const end = Math.max(place(last), begin + 1)
  return `|${' '.repeat(begin)}${'='.repeat(end - begin)}${' '.repeat(width - end)}|`
}

/** 12 ms, 1.5 s, 3 min 20 s, 2 h 5 min */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`
}
