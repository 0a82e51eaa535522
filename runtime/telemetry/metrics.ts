import { collectDefaultMetrics, Registry } from 'prom-client'
import type { Metric } from 'prom-client'
import { metricTable } from './metric-table.ts'
import type { MetricName } from './metric-table.ts'

/** One series of a metric. `suffix` is for the parts of a histogram: `_bucket`, `_sum`, `_count`. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  readonly suffix?: string
}

/** A metric of the table with its series of now. */
export type Family = readonly [name: MetricName, samples: readonly Sample[]]

/** Gives metrics when they are asked for; what can't be known now is left out. */
export type Source = () => Iterable<Family> | Promise<Iterable<Family>>

/** The metrics of one process, in Prometheus' text format. */
export interface Metrics {
  readonly contentType: string
  add(source: Source): void
  text(): Promise<string>
}

export function openMetrics(): Metrics {
  const own = new Registry()
  collectDefaultMetrics({ register: own })
  const sources: Source[] = []
  return {
    contentType: own.contentType,
    add: (source) => void sources.push(source),
    async text() {
      const families = await Promise.all(sources.map(async (source) => await source()))
      const registry = new Registry()
      for (const [name, samples] of families.flatMap((some) => [...some]))
        registry.registerMetric(metricOf(name, samples))
      return `${await registry.metrics()}${await own.metrics()}`
    },
  }
}

/** What a registry asks of a metric: its values. The library's own count by themselves, ours are counted where they happen. */
function metricOf(name: MetricName, samples: readonly Sample[]): Metric {
  const { help, type } = metricTable[name]
  const values = samples.map(({ labels, value, suffix = '' }) => ({ metricName: `${name}${suffix}`, labels, value }))
  const get = () => Promise.resolve({ name, help, type, values, aggregator: 'sum' })
  return { name, get } as unknown as Metric
}
