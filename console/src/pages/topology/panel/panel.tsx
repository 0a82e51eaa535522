import { CloseButton, Group, Skeleton, Tabs, Text } from '@mantine/core'
import { Suspense, lazy } from 'react'
import { useSearchParams } from 'wouter'
import type { Node, Topology } from '../../../api/engine.ts'
import { Icon } from '../../../parts/icons.tsx'
import { grouped } from '../../../parts/show/format.ts'
import type { Figures } from '../figures.ts'
import { Messages } from './messages.tsx'
import { Now } from './now.tsx'
import classes from './panel.module.css'
import { Settings } from './settings.tsx'
import { NodeTrash } from './trash.tsx'

// Charts are seldom opened: what draws them is loaded then.
const Charts = lazy(async () => ({ default: (await import('./charts.tsx')).Charts }))

interface PanelProps {
  readonly topology: Topology
  readonly node: Node
  readonly figures: Figures
  readonly close: () => void
}

const tabs = ['now', 'charts', 'settings', 'messages', 'trash'] as const

/** All that there is to know of the node that is selected. */
export function Panel({ topology, node, figures, close }: PanelProps) {
  const { openTrash } = figures
  const [params, setParams] = useSearchParams()
  const tab = tabs.find((one) => one === params.get('tab')) ?? 'now'
  const to = (next: string | null): void =>
    setParams(
      (known) => {
        const changed = new URLSearchParams(known)
        if (next === null || next === 'now') changed.delete('tab')
        else changed.set('tab', next)
        return changed
      },
      { replace: true },
    )
  return (
    <aside className={classes.panel} aria-label={`Node ${node.name}`}>
      <Group justify="space-between" wrap="nowrap" className={classes.head}>
        <Group gap={6} wrap="nowrap" miw={0}>
          <Icon name={node.type} />
          <Text fw={600} truncate>
            {node.name}
          </Text>
        </Group>
        <CloseButton aria-label="Close the node" onClick={close} />
      </Group>
      <Tabs value={tab} onChange={to} keepMounted={false} className={classes.tabs}>
        <Tabs.List>
          <Tabs.Tab value="now">Now</Tabs.Tab>
          <Tabs.Tab value="charts">Charts</Tabs.Tab>
          <Tabs.Tab value="settings">Settings</Tabs.Tab>
          <Tabs.Tab value="messages">Messages</Tabs.Tab>
          <Tabs.Tab value="trash">
            Trash{openTrash === null || openTrash === 0 ? '' : ` ${grouped(openTrash)}`}
          </Tabs.Tab>
        </Tabs.List>
        <div className={classes.body}>
          <Tabs.Panel value="now">
            <Now topology={topology} node={node} figures={figures} />
          </Tabs.Panel>
          <Tabs.Panel value="charts">
            <Suspense fallback={<Skeleton h={400} />}>
              <Charts nodeId={node.id} />
            </Suspense>
          </Tabs.Panel>
          <Tabs.Panel value="settings">
            <Settings topology={topology} node={node} />
          </Tabs.Panel>
          <Tabs.Panel value="messages">
            <Messages topology={topology} node={node} />
          </Tabs.Panel>
          <Tabs.Panel value="trash">
            <NodeTrash topology={topology} node={node} />
          </Tabs.Panel>
        </div>
      </Tabs>
    </aside>
  )
}
