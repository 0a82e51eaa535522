import { Tooltip } from '@mantine/core'
import { useEffect, useState } from 'react'
import { age } from './format.ts'
import { clockOn, moment } from '../zone/moment.ts'
import type { Zone } from '../zone/moment.ts'
import { useZone } from '../zone/zone.ts'

interface TimeProps {
  /** RFC 3339; null: it did not happen. */
  readonly at: string | null
  /** How long ago, or in how long, instead of when. */
  readonly relative?: boolean
  /** By the clock, with the day unless that is today's: to the minute, or as told. */
  readonly clock?: boolean | 'second'
  /** In rows that are drawn as one scrolls: the browser shows the rest on hover, which costs nothing. */
  readonly isPlain?: boolean
}

/**
 * A time as it is where the reader is, or in UTC, as he has chosen; the other one, and what isn't shown, on hover. Who has chosen UTC sees
 * times instead of ages, so that none has to be pointed at.
 */
export function Time({ at, relative = false, clock = false, isPlain = false }: TimeProps) {
  const zone = useZone()
  const now = useNow(relative && at !== null)
  if (at === null) return <span aria-label="never">–</span>
  const when = new Date(at)
  const utc = `${at.replace('T', ' ').replace(/Z$/, '')} UTC`
  const isAge = relative && zone === 'local'
  const said = [moment(when, 'local', 'whole'), utc].filter(
    (one) => isAge || clock !== false || zone === 'utc' || one === utc,
  )
  const text = textOf(when, now, zone, { relative, clock })
  if (isPlain)
    return (
      <time dateTime={at} title={said.join(' · ')}>
        {text}
      </time>
    )
  return (
    <Tooltip label={said.join(' · ')}>
      <time dateTime={at}>{text}</time>
    </Tooltip>
  )
}

function textOf(
  when: Date,
  now: number,
  zone: Zone,
  { relative, clock }: { relative: boolean; clock: boolean | 'second' },
): string {
  if (clock !== false) return clockOn(when, now, zone, clock === 'second' ? clock : 'minute')
  if (!relative) return moment(when, zone, 'whole')
  return zone === 'utc' ? clockOn(when, now, zone, 'second') : distance(when.getTime() - now)
}

function distance(ms: number): string {
  // The clock of all ages may be one tick behind, and that of the engine a little ahead.
  if (ms > 2 * tickMs) return `in ${age(ms)}`
  const text = age(-ms)
  return text === 'now' ? text : `${text} ago`
}

/** Of all that show an age one clock, and none while nothing does. */
const ticking = {
  now: Date.now(),
  listeners: new Set<() => void>(),
  timer: undefined as ReturnType<typeof setInterval> | undefined,
}
const tickMs = 5_000

export function useNow(isNeeded = true): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (!isNeeded) return
    const listener = (): void => setNow(ticking.now)
    ticking.listeners.add(listener)
    ticking.timer ??= setInterval(() => {
      ticking.now = Date.now()
      for (const one of ticking.listeners) one()
    }, tickMs)
    return () => {
      ticking.listeners.delete(listener)
      if (ticking.listeners.size > 0) return
      clearInterval(ticking.timer)
      ticking.timer = undefined
    }
  }, [isNeeded])
  return now
}
