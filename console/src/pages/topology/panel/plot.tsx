import { useComputedColorScheme } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { useEffect, useRef, useState } from 'react'
import UPlot from 'uplot'
import { axisOf, moment, tickOf } from '../../../parts/zone/moment.ts'
import type { Zone } from '../../../parts/zone/moment.ts'
import { useZone } from '../../../parts/zone/zone.ts'
import 'uplot/dist/uPlot.min.css'
import classes from './charts.module.css'

interface PlotProps {
  readonly title: string
  /** Seconds since 1970. */
  readonly times: readonly number[]
  /** From when until when it is drawn. */
  readonly span: readonly [number, number]
  /** Null: not known then. */
  readonly values: readonly (number | null)[]
  readonly show: (value: number) => string
  readonly tone: 'accent' | 'bad'
  readonly isBars?: boolean
}

const height = 96
const yWidth = 46

/** One figure over time; what it shows is also said in words, as of the last look or of where one points. */
export function Plot({ title, times, span, values, show, tone, isBars = false }: PlotProps) {
  const zone = useZone()
  const { ref, width } = useElementSize()
  const canvas = useRef<HTMLDivElement>(null)
  const scheme = useComputedColorScheme()
  const [pointed, setPointed] = useState<number | null>(null)
  useEffect(() => {
    const place = canvas.current
    if (place === null || width === 0) return
    const style = getComputedStyle(place)
    const series = seriesOf(style.getPropertyValue(`--${tone}`).trim(), isBars)
    const plot = new UPlot(
      optionsOf({ width, style, span, zone, show, series, setPointed }),
      [[...times], [...values]],
      place,
    )
    return () => plot.destroy()
  }, [times, span, values, width, scheme, zone, tone, isBars, show])
  const said = saidOf({ times, values, show, zone }, pointed)
  return (
    <figure className={classes.figure} ref={ref}>
      <figcaption>
        <span>{axisOf(title, zone)}</span>
        <span className={classes.said}>{said}</span>
      </figcaption>
      <div ref={canvas} role="img" aria-label={`${title} over time: ${said}`} className={classes.plot} />
    </figure>
  )
}

function saidOf(
  { times, values, show, zone }: Pick<PlotProps, 'times' | 'values' | 'show'> & { readonly zone: Zone },
  pointed: number | null,
): string {
  const known = values.filter((value) => value !== null)
  const last = known.at(-1)
  if (last === undefined) return 'nothing was seen'
  const value = pointed === null ? null : (values[pointed] ?? null)
  const time = pointed === null ? undefined : times[pointed]
  if (value !== null && time !== undefined) return `${moment(time * 1_000, zone, 'second')}: ${show(value)}`
  return `last ${show(last)}, at most ${show(Math.max(...known))}`
}

interface Looks {
  readonly width: number
  readonly style: CSSStyleDeclaration
  readonly span: readonly [number, number]
  readonly zone: Zone
  readonly show: (value: number) => string
  readonly series: UPlot.Series
  readonly setPointed: (index: number | null) => void
}

function optionsOf({ width, style, span, zone, show, series, setPointed }: Looks): UPlot.Options {
  const axis: UPlot.Axis = {
    stroke: style.getPropertyValue('--quiet').trim(),
    grid: { stroke: style.getPropertyValue('--line').trim(), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
    gap: 4,
  }
  return {
    width,
    height,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    ...(zone === 'utc' && { tzDate: (seconds: number) => UPlot.tzDate(new Date(seconds * 1_000), 'UTC') }),
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: { x: { range: () => [...span] }, y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
    axes: [
      { ...axis, size: 20, space: 56, values: (_, ticks) => once(ticks.map((tick) => tickOf(tick * 1_000, zone))) },
      { ...axis, size: yWidth, space: 26, values: (_, ticks) => once(ticks.map(show)) },
    ],
    series: [{}, series],
    hooks: { setCursor: [(plot) => setPointed(plot.cursor.idx ?? null)] },
  }
}

/** Ticks that are told as the same one are told once. */
const once = (texts: readonly string[]): string[] => texts.map((text, index) => (text === texts[index - 1] ? '' : text))

function seriesOf(colour: string, isBars: boolean): UPlot.Series {
  const common = { stroke: colour, width: 1.5, points: { show: false } }
  if (isBars && UPlot.paths.bars)
    return { ...common, width: 0, fill: colour, paths: UPlot.paths.bars({ size: [0.7, 10, 2] }) }
  return { ...common, fill: `color-mix(in srgb, ${colour} 14%, transparent)` }
}
