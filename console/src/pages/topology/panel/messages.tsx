import { Badge, Code, Group, SegmentedControl, Skeleton, Stack, Text } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { dataOf, engine } from '../../../api/engine.ts'
import type { Node, PeekedMessage, Topology } from '../../../api/engine.ts'
import { keys } from '../../../api/keys.ts'
import { useWhyNot } from '../../../api/session.ts'
import { Empty } from '../../../parts/empty.tsx'
import { bytes } from '../../../parts/show/format.ts'
import { Problem } from '../../../parts/problem.tsx'
import { Time } from '../../../parts/show/time.tsx'
import classes from './panel.module.css'

const states = [
  { value: 'waiting', label: 'Waiting' },
  { value: 'held', label: 'At bridges' },
  { value: 'delayed', label: 'Delayed' },
] as const
type State = (typeof states)[number]['value']

const shownMax = 20
const bodyMax = 2_048

/** The next messages of the node, without taking them. */
export function Messages({ topology, node }: { readonly topology: Topology; readonly node: Node }) {
  const isPublished = topology.visibility === 'public' && node.published !== null
  const [state, setState] = useState<State>('waiting')
  const noBodies = useWhyNot('payload')
  const { data, error, refetch } = useQuery({
    queryKey: keys.why(topology.id, node.id, 'peek', state),
    queryFn: () => {
      const query = { limit: shownMax, bytes: bodyMax, state }
      return dataOf(engine.GET('/api/nodes/{id}/peek', { params: { path: { id: node.id }, query } }))
    },
    enabled: isPublished,
    placeholderData: keepPreviousData,
  })
  if (!isPublished)
    return (
      <Empty icon="topologies" title="No queue">
        The node isn’t published.
      </Empty>
    )
  return (
    <Stack gap="xs">
      <SegmentedControl size="xs" aria-label="Which messages" data={[...states]} value={state} onChange={setState} />
      {noBodies !== null && (
        <Text size="xs" c="dimmed">
          What they hold isn’t shown. {noBodies}.
        </Text>
      )}
      {error !== null && data === undefined && <Problem error={error} again={() => void refetch()} />}
      {data === undefined && error === null && <Skeleton h={120} />}
      {data?.items.length === 0 && (
        <Empty icon="check" title="There are none">
          {state === 'waiting' ? 'Nothing waits in its queue at this moment.' : 'No message stands so at this moment.'}
        </Empty>
      )}
      {data?.items.map((message) => (
        <Message key={message.sequence} message={message} />
      ))}
    </Stack>
  )
}

function Message({ message }: { readonly message: PeekedMessage }) {
  const { id, runId, attempt, enqueuedAt, at, tenant, key, size, truncated, contentType } = message
  return (
    <article className={classes.message}>
      <Group gap={6}>
        <Code>{id}</Code>
        {attempt > 1 && <Badge color="yellow">attempt {attempt}</Badge>}
        {tenant !== null && <Badge color="gray">{tenant}</Badge>}
        {key !== null && <Badge color="gray">key {key}</Badge>}
      </Group>
      <Text size="xs" c="dimmed" mt={2}>
        <Time at={enqueuedAt} relative />
        {at !== null && (
          <>
            , comes <Time at={at} relative />
          </>
        )}
        , {bytes(size)} {contentType}, run {runId}
      </Text>
      <Body message={message} />
      {truncated && (
        <Text size="xs" c="dimmed">
          Only the first {bytes(bodyMax)} are shown.
        </Text>
      )}
    </article>
  )
}

function Body({ message: { body, bodyBase64 } }: { readonly message: PeekedMessage }) {
  const text = typeof body === 'string' ? body : body === undefined ? bodyBase64 : JSON.stringify(body, null, 2)
  if (text === undefined) return null
  return (
    <Code block className={classes.json}>
      {text}
    </Code>
  )
}
