import { Unavailable } from '../../../errors.ts'
import { countOverview, listOverview } from '../../../store/queries/find/overview.ts'
import type { OverviewFilter } from '../../../store/queries/find/overview.ts'
import type { ApiDeps } from '../../deps.ts'
import { attentionBeside } from '../health/status.ts'

/** A page of topologies with how they are, and how many there are of them. */
export async function overview(
  deps: ApiDeps,
  filter: Omit<OverviewFilter, 'attention'>,
  limit: number,
  after: string | null,
) {
  const [beside, rates] = await Promise.all([attentionBeside(deps), ratesOf(deps)])
  const whole = { ...filter, attention: [...beside.keys()] }
  const [rows, total] = await Promise.all([
    listOverview(deps.store, whole, limit, after),
    countOverview(deps.store, whole),
  ])
  const items = rows.map((row) => ({
    ...row,
    attention:
      row.visibility === 'draft'
        ? []
        : [...(beside.get(row.id) ?? []), ...(row.openTrash > 0 ? (['trash'] as const) : [])],
    ratePerSecond: rates === null ? null : Math.round((rates.get(row.id) ?? 0) * 100) / 100,
  }))
  return { items, total }
}

/** What all bridges settle a second, by topology; null: one doesn't answer, or NATS is away, so nobody knows. */
async function ratesOf({ queues }: ApiDeps): Promise<Map<string, number> | null> {
  try {
    const { live, looks } = await queues.look({ topologyId: null, nodeId: null })
    if (looks.length < live.length) return null
    const rates = new Map<string, number>()
    for (const { topologyId, settledPerSecond } of looks.flatMap(({ nodes }) => nodes))
      rates.set(topologyId, (rates.get(topologyId) ?? 0) + settledPerSecond)
    return rates
  } catch (error) {
    if (error instanceof Unavailable) return null
    throw error
  }
}
