import { Alert, Button, Stack, Tabs, Text } from '@mantine/core'
import { useMemo } from 'react'
import { removeSelected } from '../editing.ts'
import type { Editing } from '../editing.ts'
import { faultAt } from '../checking/faults.ts'
import type { Placed } from '../checking/faults.ts'
import { Calls } from '../form/calls.tsx'
import { FieldsProvider } from '../form/context.ts'
import type { Fields } from '../form/context.ts'
import { Edges } from '../form/edges.tsx'
import { Foreign } from '../form/foreign.tsx'
import { NodeFields } from '../form/node-fields.tsx'
import { Settings } from '../form/settings.tsx'
import { setting } from '../state/edits.ts'
import { isEvent, typeOf } from '../state/graph.ts'
import type { GraphNode } from '../state/graph.ts'
import { valueAt } from '../state/path.ts'
import classes from './panel.module.css'
import { Side } from './side.tsx'
import { tabOf } from './tabs.ts'
import type { Tab } from './tabs.ts'

interface NodePanelProps {
  readonly editing: Editing
  readonly node: GraphNode
  readonly tab: Tab
  readonly setTab: (tab: Tab) => void
  readonly tryIt: () => void
}

const titles: Readonly<Record<Tab, string>> = { node: 'Node', calls: 'Calls', settings: 'Settings' }

/** The node that is selected, to be changed. */
export function NodePanel({ editing, node, tab, setTab, tryIt }: NodePanelProps) {
  const { dispatch, faults } = editing
  const own = useMemo(() => faults.filter(({ of, key }) => of === 'node' && key === node.key), [faults, node.key])
  const fields = useNodeFields(editing, node, own)
  const isCalled = !isEvent(node.values.type)
  const tabs: readonly Tab[] = isCalled ? ['node', 'calls', 'settings'] : ['node']
  return (
    <Side
      icon={typeOf(node.values)}
      title={node.values.name}
      label={`Node ${node.values.name}`}
      close={() => dispatch({ kind: 'select', selected: null })}
      feet={<Feet editing={editing} name={node.values.name} tryIt={isCalled ? tryIt : null} />}
    >
      <FieldsProvider value={fields}>
        <Tabs
          value={tabs.includes(tab) ? tab : 'node'}
          onChange={(next) => setTab(tabs.find((one) => one === next) ?? 'node')}
          keepMounted={false}
          className={classes.tabs}
        >
          {isCalled && (
            <Tabs.List>
              {tabs.map((one) => (
                <TabOf key={one} tab={one} faults={own} />
              ))}
            </Tabs.List>
          )}
          <div className={classes.body} key={node.key}>
            <OfWhole faults={own} />
            <Tabs.Panel value="node">
              <Stack gap="lg">
                <NodeFields node={node} editing={editing} />
                <Edges node={node} editing={editing} />
                <Foreign node={node} />
              </Stack>
            </Tabs.Panel>
            <Tabs.Panel value="calls">
              <Calls node={node} editing={editing} />
            </Tabs.Panel>
            <Tabs.Panel value="settings">
              <Settings node={node} editing={editing} />
            </Tabs.Panel>
          </div>
        </Tabs>
      </FieldsProvider>
    </Side>
  )
}

/** Fields of the node, by their paths in it. */
function useNodeFields(
  { state: { unread }, dispatch }: Editing,
  { key, values }: GraphNode,
  own: readonly Placed[],
): Fields {
  return useMemo(
    () => ({
      valueAt: (field) => valueAt(values, field),
      faultAt: (field) => faultAt(own, field),
      exactlyAt: (field) => own.find((fault) => fault.field === field)?.message ?? null,
      set: (field, value) => dispatch({ kind: 'edit', edit: setting(key, field, value), field: `${key} ${field}` }),
      unreadAt: (field) => unread[`${key} ${field}`] ?? null,
      setUnread: (field, text) => dispatch({ kind: 'unread', field: `${key} ${field}`, text }),
    }),
    [unread, dispatch, key, values, own],
  )
}

function TabOf({ tab, faults }: { readonly tab: Tab; readonly faults: readonly Placed[] }) {
  const count = faults.filter((fault) => fault.field !== '' && tabOf(fault) === tab).length
  return (
    <Tabs.Tab value={tab}>
      {titles[tab]}
      {count > 0 && (
        <Text span size="xs" fw={600} c="var(--bad)" ml={6}>
          {count}
        </Text>
      )}
    </Tabs.Tab>
  )
}

/** What is wrong with the node as a whole, such as that nothing leads to it. */
function OfWhole({ faults }: { readonly faults: readonly Placed[] }) {
  const messages = faults.filter(({ field }) => field === '').map(({ message }) => message)
  if (messages.length === 0) return null
  return (
    <Alert color="red" variant="light" p="xs" mb="sm">
      {messages.map((message) => (
        <Text key={message} size="sm">
          {message}
        </Text>
      ))}
    </Alert>
  )
}

interface FeetProps {
  readonly editing: Editing
  readonly name: string
  /** Null: it calls no worker. */
  readonly tryIt: (() => void) | null
}

function Feet({ editing, name, tryIt }: FeetProps) {
  return (
    <>
      <Button variant="default" onClick={() => removeSelected(editing)} aria-label={`Remove the node ${name}`}>
        Remove
      </Button>
      {tryIt !== null && (
        <Button variant="default" onClick={tryIt}>
          Try it on a message…
        </Button>
      )}
    </>
  )
}
