import { CloseButton, Group, Select, Stack, Text, Title } from '@mantine/core'
import { connect } from '../editing.ts'
import type { Editing } from '../editing.ts'
import { faultAt } from '../checking/faults.ts'
import { canConnect, removingEdge } from '../state/edits.ts'
import { isEvent, nameOf } from '../state/graph.ts'
import type { GraphEdge, GraphNode } from '../state/graph.ts'

interface EdgesProps {
  readonly node: GraphNode
  readonly editing: Editing
}

/** Where its messages go and where they come from: what is drawn on the graph, for the keyboard. */
export function Edges({ node, editing }: EdgesProps) {
  const { graph } = editing.state
  const { key } = node
  const others = graph.nodes.filter((other) => other.key !== key)
  const after = others.filter((other) => canConnect(graph, key, other.key))
  const before = others.filter((other) => canConnect(graph, other.key, key))
  return (
    <Stack gap="xs" component="section" aria-label="Edges">
      <Title order={3}>Edges</Title>
      <Side
        label="Goes to"
        nothing="Messages end here"
        editing={editing}
        edges={graph.edges.filter(({ from }) => from === key)}
        endOf={({ to }) => to}
        choices={after}
        join={(other) => editing.dispatch(connect(key, other))}
      />
      {!isEvent(node.values.type) && (
        <Side
          label="Comes from"
          nothing="Nothing leads here yet"
          editing={editing}
          edges={graph.edges.filter(({ to }) => to === key)}
          endOf={({ from }) => from}
          choices={before}
          join={(other) => editing.dispatch(connect(other, key))}
        />
      )}
    </Stack>
  )
}

interface SideProps {
  readonly label: string
  readonly nothing: string
  readonly editing: Editing
  readonly edges: readonly GraphEdge[]
  readonly endOf: (edge: GraphEdge) => string
  readonly choices: readonly GraphNode[]
  readonly join: (other: string) => void
}

function Side({ label, nothing, editing: { state, dispatch, faults }, edges, endOf, choices, join }: SideProps) {
  return (
    <div>
      <Select
        label={label}
        placeholder={choices.length === 0 ? 'there is no other node for it' : 'add a node'}
        searchable
        data={choices.map(({ key, values }) => ({ value: key, label: values.name === '' ? '(no name)' : values.name }))}
        value={null}
        onChange={(key) => key !== null && join(key)}
      />
      {edges.length === 0 && (
        <Text size="xs" c="dimmed" mt={4}>
          {nothing}
        </Text>
      )}
      {edges.map((edge) => {
        const name = nameOf(state.graph, endOf(edge))
        const fault = faultAt(
          faults.filter(({ of, key }) => of === 'edge' && key === edge.key),
          '',
        )
        return (
          <div key={edge.key}>
            <Group justify="space-between" wrap="nowrap" gap="xs" mt={4}>
              <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
                {name}
              </Text>
              <CloseButton
                size="sm"
                aria-label={`Remove the edge: ${label.toLowerCase()} ${name}`}
                onClick={() => dispatch({ kind: 'edit', edit: removingEdge(edge.key) })}
              />
            </Group>
            {fault !== null && (
              <Text size="xs" c="var(--bad)">
                {fault}
              </Text>
            )}
          </div>
        )
      })}
    </div>
  )
}
