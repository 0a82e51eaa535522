import { Code, Group, Loader, Title } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useParams, useSearchParams } from 'wouter'
import { statusOf } from '../../api/engine.ts'
import type { Node, Topology } from '../../api/engine.ts'
import { failuresQuery, nodesQuery, queuesQuery, topologyQuery, workersQuery } from '../../api/queries.ts'
import { useSession } from '../../api/session.ts'
import { useDepths } from '../../live/live.tsx'
import { Empty } from '../../parts/empty.tsx'
import { Page } from '../../parts/page.tsx'
import { Problem } from '../../parts/problem.tsx'
import { TopologyState } from '../../parts/show/topology-state.tsx'
import { Actions } from './actions/actions.tsx'
import { EditButton } from './actions/edit-button.tsx'
import { figuresOf } from './figures.ts'
import type { Figures } from './figures.ts'
import { NodeMenu } from './graph/node-menu.tsx'
import type { OpenMenu } from './graph/node-menu.tsx'
import { TopologyGraph } from './graph/graph.tsx'
import { Panel } from './panel/panel.tsx'
import { NodeLabel } from './prefetch/label.tsx'
import { PrefetchModal } from './prefetch/modal.tsx'
import { Summary } from './summary.tsx'
import { SyncBanner } from './sync-banner.tsx'
import classes from './topology.module.css'

export default function TopologyPage() {
  const { topology: ref } = useParams<{ topology: string }>()
  const topology = useQuery(topologyQuery(ref))
  const nodes = useQuery(nodesQuery(ref))
  const error = topology.error ?? nodes.error
  // A name that is no more, as after a rename, is said: what was read by it would stay as it is for ever.
  const isGone = error !== null && statusOf(error) === 404
  if (topology.data && nodes.data && !isGone) return <Loaded topology={topology.data} nodes={nodes.data} />
  return (
    <Page title={ref}>
      {error === null ? (
        <Loader size="sm" aria-label="Loading" />
      ) : (
        <Problem error={error} again={() => void topology.refetch()} />
      )}
    </Page>
  )
}

function Loaded({ topology, nodes }: { readonly topology: Topology; readonly nodes: readonly Node[] }) {
  const figures = useFigures(topology, nodes)
  const [chosen, choose] = useChosen(nodes)
  const { ref: stage, width, height } = useElementSize()
  const [menu, setMenu] = useState<OpenMenu | null>(null)
  const [settingsOf, openSettings] = useState<string | null>(null)
  const own = chosen && figures.get(chosen.id)
  const waiting = [...figures.values()].reduce((sum, one) => sum + one.waiting + one.inFlight, 0)
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
          <Actions topology={topology} nodes={nodes} waiting={waiting} />
        </>
      }
    >
      <SyncBanner topology={topology} />
      <div className={classes.box}>
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
          {chosen && own && <Panel topology={topology} node={chosen} figures={own} close={() => choose(null)} />}
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

function useFigures(topology: Topology, nodes: readonly Node[]): ReadonlyMap<string, Figures> {
  const { topologyId } = useSession()
  const isPublished = topology.visibility === 'public'
  const depths = useDepths(topology.id)
  const { data: queues = none } = useQuery({ ...queuesQuery(topology.id), enabled: isPublished })
  const { data: failures = none } = useQuery(failuresQuery(topology.id))
  // A token of one topology may not look at workers.
  const { data: workers = none } = useQuery({ ...workersQuery, enabled: topologyId === null })
  return useMemo(
    () => figuresOf({ nodes, queues, depths, failures, workers }),
    [nodes, queues, depths, failures, workers],
  )
}

const none: never[] = []
