import { Tooltip } from '@mantine/core'
import { useEffect, useState } from 'react'
import { age } from './format.ts'

const local = new Intl.DateTimeFormat(undefined, {
  year: 'numeric',
  month: 'short',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})

interface TimeProps {
  /** RFC 3339; null: it did not happen. */
  readonly at: string | null
  /** How long ago, or in how long, instead of when. */
  readonly relative?: boolean
  /** In rows that are drawn as one scrolls: the browser shows the rest on hover, which costs nothing. */
  readonly isPlain?: boolean
}

/** A time as it is where the reader is; UTC, and what isn't shown, on hover or focus. */
export function Time({ at, relative = false, isPlain = false }: TimeProps) {
  const now = useNow(relative && at !== null)
  if (at === null) return <span aria-label="never">–</span>
  const when = new Date(at)
  const shown = local.format(when)
  const utc = `${at.replace('T', ' ').replace(/Z$/, '')} UTC`
  const said = relative ? `${shown} · ${utc}` : utc
  const text = relative ? distance(when.getTime() - now) : shown
  if (isPlain)
    return (
      <time dateTime={at} title={said}>
        {text}
      </time>
    )
  return (
    <Tooltip label={said}>
      <time dateTime={at}>{text}</time>
    </Tooltip>
  )
}

function distance(ms: number): string {
  // The clock of all ages may be one tick behind.
  if (ms > tickMs) return `in ${age(ms)}`
  const text = age(-ms)
  return text === 'now' ? text : `${text} ago`
}

/** Of all that show an age one clock, and none while nothing does. */
const clock = {
  now: Date.now(),
  listeners: new Set<() => void>(),
  timer: undefined as ReturnType<typeof setInterval> | undefined,
}
const tickMs = 5_000

export function useNow(isNeeded = true): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (!isNeeded) return
    const listener = (): void => setNow(clock.now)
    clock.listeners.add(listener)
    clock.timer ??= setInterval(() => {
      clock.now = Date.now()
      for (const one of clock.listeners) one()
    }, tickMs)
    return () => {
      clock.listeners.delete(listener)
      if (clock.listeners.size > 0) return
      clearInterval(clock.timer)
      clock.timer = undefined
    }
  }, [isNeeded])
  return now
}
