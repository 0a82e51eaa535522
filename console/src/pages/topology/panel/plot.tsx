import { useComputedColorScheme } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { useEffect, useRef } from 'react'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import classes from './charts.module.css'

interface PlotProps {
  readonly title: string
  /** Seconds since 1970. */
  readonly times: readonly number[]
  /** Null: not known then. */
  readonly values: readonly (number | null)[]
  readonly show: (value: number) => string
  readonly tone: 'accent' | 'bad'
  readonly isBars?: boolean
}

const height = 92

/** One figure over time; what it shows is also said in words. */
export function Plot({ title, times, values, show, tone, isBars = false }: PlotProps) {
  const { ref, width } = useElementSize()
  const canvas = useRef<HTMLDivElement>(null)
  const scheme = useComputedColorScheme()
  const known = values.filter((value) => value !== null)
  const most = known.length === 0 ? 0 : Math.max(...known)
  useEffect(() => {
    const place = canvas.current
    if (place === null || width === 0) return
    const style = getComputedStyle(place)
    const colour = style.getPropertyValue(`--${tone}`).trim()
    const plot = new UPlot(
      {
        width,
        height,
        legend: { show: false },
        cursor: { y: false, points: { size: 5 } },
        scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
        axes: [axis(style), { ...axis(style), size: 46, values: (_, ticks) => ticks.map(show) }],
        series: [
          {},
          {
            stroke: colour,
            width: 1.5,
            fill: `color-mix(in srgb, ${colour} 14%, transparent)`,
            points: { show: false },
            ...(isBars && UPlot.paths.bars ? { paths: UPlot.paths.bars({ size: [0.8, 12] }) } : {}),
          },
        ],
      },
      [[...times], [...values]],
      place,
    )
    return () => plot.destroy()
  }, [times, values, width, scheme, tone, isBars, show])
  const last = known.at(-1)
  return (
    <figure className={classes.figure} ref={ref}>
      <figcaption>
        <span>{title}</span>
        <span className={classes.said}>
          {last === undefined ? 'nothing was seen' : `now ${show(last)}, at most ${show(most)}`}
        </span>
      </figcaption>
      <div
        ref={canvas}
        role="img"
        aria-label={`${title} over time: ${last === undefined ? 'nothing' : `now ${show(last)}, at most ${show(most)}`}`}
        className={classes.plot}
      />
    </figure>
  )
}

function axis(style: CSSStyleDeclaration): UPlot.Axis {
  const line = style.getPropertyValue('--line').trim()
  return {
    stroke: style.getPropertyValue('--quiet').trim(),
    grid: { stroke: line, width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
    size: 22,
    gap: 3,
  }
}
