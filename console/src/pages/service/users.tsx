import { Anchor, Stack, Text, Title } from '@mantine/core'
import { Link } from 'wouter'
import type { ServiceState, ServiceUser } from '../../api/engine.ts'
import { grouped } from '../../parts/show/format.ts'
import { Rows } from '../../parts/table/rows.tsx'
import type { Column } from '../../parts/table/rows.tsx'
import { Sign } from '../../parts/show/sign.tsx'

const columns: readonly Column<ServiceUser>[] = [
  {
    title: 'Node',
    cell: ({ topology, topologyId, node }) => (
      <Anchor component={Link} href={`/topologies/${topologyId}?node=${encodeURIComponent(node)}`} size="sm">
        {topology} / {node}
      </Anchor>
    ),
  },
  {
    title: 'State',
    cell: ({ published }) =>
      published ? <Sign tone="good">published</Sign> : <Sign tone="quiet">only in the draft</Sign>,
  },
  { title: 'A call counts as', cell: ({ limitCost }) => grouped(limitCost), right: true, tight: true },
]

/** Whose calls count against it. */
export function Users({ state: { users, usersLeftOut, name } }: { readonly state: ServiceState }) {
  return (
    <Stack gap="xs">
      <Title order={2}>Used by</Title>
      {users.length === 0 ? (
        <Text size="sm" c="dimmed">
          No node names it. Give a node <code>service: {name}</code> in its topology, and publish.
        </Text>
      ) : (
        <Rows
          label="Nodes that use it"
          columns={columns}
          items={users}
          idOf={({ topologyId, node, published }) => `${topologyId} ${node} ${published}`}
        />
      )}
      {usersLeftOut && <Text size="sm">There are more of them.</Text>}
    </Stack>
  )
}
