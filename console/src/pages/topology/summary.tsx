import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { dataOf, engine } from '../../api/engine.ts'
import type { Topology } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { grouped, orDash } from '../../parts/show/format.ts'
import { PageLink } from '../../parts/page-link.tsx'
import { RunState } from '../../parts/show/run-state.tsx'
import { Time } from '../../parts/show/time.tsx'
import { sumOf } from './figures.ts'
import type { Figures } from './figures.ts'
import classes from './topology.module.css'

interface SummaryProps {
  readonly topology: Topology
  readonly figures: ReadonlyMap<string, Figures>
}

/** The topology as a whole, while no node is selected. */
export function Summary({ topology, figures }: SummaryProps) {
  const failed = sumOf(figures, 'openTrash')
  return (
    <dl className={classes.summary}>
      <Item word="Nodes">{grouped(figures.size)}</Item>
      <Item word="Revision">{topology.revision === 0 ? 'none yet' : topology.revision}</Item>
      <Item word="Waiting">{orDash(sumOf(figures, 'waiting'), grouped)}</Item>
      <Item word="In flight">{orDash(sumOf(figures, 'inFlight'), grouped)}</Item>
      <Item word="Failed" isBad={failed !== null && failed > 0}>
        {failed === null || failed === 0 ? (
          orDash(failed, grouped)
        ) : (
          <PageLink to={`/trash?topology=${topology.name}`}>{grouped(failed)}</PageLink>
        )}
      </Item>
      <LastRun topologyId={topology.id} />
    </dl>
  )
}

function LastRun({ topologyId }: { readonly topologyId: string }) {
  const { data } = useQuery({
    queryKey: keys.runs(topologyId, 'last'),
    queryFn: async () => {
      const query = { topology: topologyId, limit: 1 }
      return (await dataOf(engine.GET('/api/runs', { params: { query } }))).items[0] ?? null
    },
  })
  if (data === undefined) return null
  return (
    <Item word="Last run">
      {data === null ? (
        'never'
      ) : (
        <PageLink to={`/runs/${data.id}`}>
          <RunState state={data.state} />, began <Time at={data.startedAt} relative />
        </PageLink>
      )}
    </Item>
  )
}

interface ItemProps {
  readonly word: string
  readonly isBad?: boolean
  readonly children: ReactNode
}

function Item({ word, isBad = false, children }: ItemProps) {
  return (
    <div>
      <dt>{word}</dt>
      <dd data-bad={isBad}>{children}</dd>
    </div>
  )
}
