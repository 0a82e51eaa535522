import { Skeleton, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { Node, Topology, TrashGroup } from '../../../api/engine.ts'
import { failuresQuery } from '../../../api/queries.ts'
import { Empty } from '../../../parts/empty.tsx'
import { counted } from '../../../parts/show/format.ts'
import { PageLink } from '../../../parts/page-link.tsx'
import { Problem } from '../../../parts/problem.tsx'
import { Time } from '../../../parts/show/time.tsx'
import classes from './panel.module.css'

/** What of the node lies open in Trash, by kind of failure. */
export function NodeTrash({ topology, node }: { readonly topology: Topology; readonly node: Node }) {
  const { data, error, refetch } = useQuery(failuresQuery(topology.id))
  if (error !== null && data === undefined) return <Problem error={error} again={() => void refetch()} />
  if (data === undefined) return <Skeleton h={100} />
  const own = data.filter(({ nodeId }) => nodeId === node.id)
  if (own.length === 0)
    return (
      <Empty icon="check" title="Nothing of it is in Trash">
        What finally fails at this node comes here, whole, until somebody mends it.
      </Empty>
    )
  return (
    <Stack gap={0}>
      {own.map((group) => (
        <Group key={group.fingerprint} group={group} topology={topology} />
      ))}
    </Stack>
  )
}

function Group({ group, topology }: { readonly group: TrashGroup; readonly topology: Topology }) {
  const { error, count, firstSeen, lastSeen, fingerprint, node } = group
  return (
    <article className={classes.message}>
      <Text size="sm" fw={600}>
        <PageLink to={`/trash?topology=${topology.name}&node=${node}&fingerprint=${fingerprint}`}>
          {error.title}
        </PageLink>
        {error.status !== undefined && ` (${error.status})`}
      </Text>
      {error.detail !== undefined && (
        <Text size="xs" c="dimmed" lineClamp={3}>
          {error.detail}
        </Text>
      )}
      <Text size="xs" mt={2}>
        {counted(count, 'message')}, from <Time at={firstSeen} relative /> to <Time at={lastSeen} relative />
      </Text>
    </article>
  )
}
