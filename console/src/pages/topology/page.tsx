import { Code, Group, Loader, Title } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import type { KeyboardEvent } from 'react'
import { useParams, useSearchParams } from 'wouter'
import { statusOf } from '../../api/engine.ts'
import type { Node, Topology } from '../../api/engine.ts'
import { failuresQuery, nodesQuery, queuesQuery, topologyQuery, workersQuery } from '../../api/queries.ts'
import { useSession } from '../../api/session.ts'
import { useDepths } from '../../live/live.tsx'
import { Empty } from '../../parts/empty.tsx'
import { NotShown } from '../../parts/not-updated.tsx'
import type { Asked } from '../../parts/not-updated.tsx'
import { Page } from '../../parts/page.tsx'
import { Problem } from '../../parts/problem.tsx'
import { TopologyState } from '../../parts/show/topology-state.tsx'
import { Actions } from './actions/actions.tsx'
import { EditButton } from './actions/edit-button.tsx'
import { figuresOf, sumOf } from './figures.ts'
import type { Figures } from './figures.ts'
import { NodeMenu } from './graph/node-menu.tsx'
import type { OpenMenu } from './graph/node-menu.tsx'
import { TopologyGraph } from './graph/graph.tsx'
import { useOpened, useOwnAddress } from './opened.ts'
import { Panel } from './panel/panel.tsx'
import { NodeLabel } from './prefetch/label.tsx'
import { PrefetchModal } from './prefetch/modal.tsx'
import { Summary } from './summary.tsx'
import { SyncBanner } from './sync-banner.tsx'
import classes from './topology.module.css'

export default function TopologyPage() {
  const { topology: ref } = useParams<{ topology: string }>()
  const { data, error, refetch } = useOpened(ref)
  if (data) return <Opened key={data.data.id} opened={data.data} />
  return <Missing title={ref} error={error} again={() => void refetch()} />
}

/** By its id, so that it is followed when it gets another name. */
function Opened({ opened }: { readonly opened: Topology }) {
  const topology = useQuery(topologyQuery(opened.id))
  const nodes = useQuery(nodesQuery(opened.id))
  const { data = opened } = topology
  useOwnAddress(`/topologies/${data.name}`)
  const gone = [topology.error, nodes.error].find((error) => statusOf(error) === 404)
  if (nodes.data && !gone) return <Loaded topology={data} nodes={nodes.data} />
  const again = (): void => void Promise.all([topology.refetch(), nodes.refetch()])
  return <Missing title={data.name} error={gone ?? topology.error ?? nodes.error} again={again} />
}

interface MissingProps {
  readonly title: string
  /** Null: it is being read. */
  readonly error: unknown
  readonly again: () => void
}

function Missing({ title, error, again }: MissingProps) {
  return (
    <Page title={title} isEmpty>
      {error === null ? <Loader size="sm" aria-label="Loading" /> : <Problem error={error} again={again} />}
    </Page>
  )
}

interface LoadedProps {
  readonly topology: Topology
  readonly nodes: readonly Node[]
}

function Loaded({ topology, nodes }: LoadedProps) {
  const [figures, ofFigures] = useFigures(topology, nodes)
  const [chosen, choose] = useChosen(nodes)
  const { ref: stage, width, height } = useElementSize()
  const [menu, setMenu] = useState<OpenMenu | null>(null)
  const [settingsOf, openSettings] = useState<string | null>(null)
  const own = chosen && figures.get(chosen.id)
  const [waiting, inFlight] = [sumOf(figures, 'waiting'), sumOf(figures, 'inFlight')]
  const queued = waiting === null || inFlight === null ? null : waiting + inFlight
  return (
    <Page
      full
      title={topology.name}
      heading={
        <Group gap="sm" miw={0}>
          <Title order={1} className={classes.name}>
            {topology.name}
          </Title>
          <TopologyState {...topology} />
        </Group>
      }
      actions={
        <>
          <EditButton topology={topology} />
          <Actions topology={topology} nodes={nodes} queued={queued} />
        </>
      }
    >
      <SyncBanner topology={topology} />
      <NotShown asked={ofFigures} />
      <div className={classes.box} onKeyDown={(event) => isLeaving(event) && choose(null)}>
        <div className={classes.bar}>
          {chosen ? (
            <NodeLabel node={chosen} openSettings={() => openSettings(chosen.id)} />
          ) : (
            <Summary topology={topology} figures={figures} />
          )}
        </div>
        <div className={classes.stage} ref={stage}>
          <div className={classes.graph}>
            {nodes.length === 0 ? (
              <Empty icon="topologies" title="It has no nodes yet">
                Draw some in the editor, or bring its document in with <Code>sluice apply</Code>.
                <EditButton topology={topology} isFirst />
              </Empty>
            ) : width === 0 ? null : (
              <TopologyGraph
                nodes={nodes}
                figures={figures}
                room={{ width, height }}
                chosen={chosen?.id ?? null}
                choose={(id) => choose(nodes.find((node) => node.id === id)?.name ?? null)}
                menu={(id, at) => setMenu({ id, at })}
              />
            )}
          </div>
          {chosen && own && (
            <Panel key={chosen.id} topology={topology} node={chosen} figures={own} close={() => choose(null)} />
          )}
        </div>
      </div>
      {menu !== null && (
        <NodeMenu
          node={nodes.find(({ id }) => id === menu.id) ?? null}
          at={menu.at}
          close={() => setMenu(null)}
          openSettings={openSettings}
          choose={choose}
        />
      )}
      {settingsOf !== null && (
        <PrefetchModal topology={topology} nodeId={settingsOf} close={() => openSettings(null)} />
      )}
    </Page>
  )
}

/** Esc closes the panel: not that of a window above it, and not where it undoes what is typed. */
function isLeaving({ key, target, currentTarget, defaultPrevented }: KeyboardEvent<HTMLElement>): boolean {
  const isAbove = !(target instanceof Element && currentTarget.contains(target))
  return (
    key === 'Escape' && !defaultPrevented && !isAbove && target.closest('input:not([type=radio]), textarea') === null
  )
}

/** The node that the address names. */
function useChosen(nodes: readonly Node[]): [Node | null, (name: string | null, tab?: string) => void] {
  const [params, setParams] = useSearchParams()
  const name = params.get('node')
  const chosen = nodes.find((node) => node.name === name || node.id === name) ?? null
  const choose = (next: string | null, tab?: string): void =>
    setParams(
      (known) => {
        const changed = new URLSearchParams(known)
        if (next === null) changed.delete('node')
        else changed.set('node', next)
        if (next === null) changed.delete('tab')
        if (tab !== undefined) changed.set('tab', tab)
        return changed
      },
      { replace: true },
    )
  return [chosen, choose]
}

function useFigures(topology: Topology, nodes: readonly Node[]): [ReadonlyMap<string, Figures>, readonly Asked[]] {
  const { topologyId } = useSession()
  const isPublished = topology.visibility === 'public'
  const depths = useDepths(topology.id)
  const queues = useQuery({ ...queuesQuery(topology.id), enabled: isPublished })
  const failures = useQuery(failuresQuery(topology.id))
  // A token of one topology may not look at workers.
  const workers = useQuery({ ...workersQuery, enabled: topologyId === null })
  const figures = useMemo(
    () =>
      figuresOf({
        ...{ nodes, depths },
        ...{ queues: queues.data, failures: failures.data, workers: workers.data },
      }),
    [nodes, queues.data, depths, failures.data, workers.data],
  )
  return [figures, [queues, failures, workers]]
}
