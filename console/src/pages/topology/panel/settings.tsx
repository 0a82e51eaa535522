import { Code, Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Node, RetryPolicy, Topology } from '../../../api/engine.ts'
import { duration } from '../../../parts/show/format.ts'
import { Pairs } from '../../../parts/show/pairs.tsx'
import { Time } from '../../../parts/show/time.tsx'
import classes from './panel.module.css'

/** What the node is set to, and where bridges go by something else. */
export function Settings({ topology, node }: { readonly topology: Topology; readonly node: Node }) {
  const drawn = topology.document.nodes.find(({ name }) => name === node.name)
  return (
    <Stack gap="md">
      <Pairs
        items={[
          ['Type', node.type],
          ...(node.prefetch === null ? ofEvent(node) : ofWorker(node, drawn?.uses ?? null)),
          [
            'Followers',
            node.followers.length === 0 ? 'none: messages end here' : node.followers.map(({ name }) => name).join(', '),
          ],
        ]}
      />
      {drawn?.settings !== undefined && (
        <section>
          <Title order={3}>Settings for the worker</Title>
          <Code block className={classes.json}>
            {JSON.stringify(drawn.settings, null, 2)}
          </Code>
        </section>
      )}
      <Text size="xs" c="dimmed">
        Id <Code>{node.id}</Code>
      </Text>
    </Stack>
  )
}

type Pair = readonly [string, ReactNode]

function ofEvent({ cron, timezone, firing, overlap, enabled }: Node): Pair[] {
  const nextAt = firing?.nextAt ?? null
  return [
    ['Schedule', cron],
    ['Time zone', timezone],
    ['Fires next', nextAt === null ? null : <Time at={nextAt} />],
    ['Overlap', overlap],
    ['Takes starts', enabled ? 'yes' : 'no'],
  ]
}

function ofWorker(node: Node, uses: string | null): Pair[] {
  const { published, worker, service, prefetch, partitions, partitionKey, timeoutMs } = node
  return [
    ['Worker', worker],
    ['Its node', uses],
    ['Service', service],
    ['Prefetch', <Value stored={prefetch ?? 1} inForce={published?.prefetch ?? null} />],
    ['Partitions', partitions === 1 ? null : partitions],
    ['Partition key', partitionKey],
    [
      'Time-out',
      <Value stored={timeText(timeoutMs)} inForce={published === null ? null : timeText(published.timeoutMs)} />,
    ],
    ['Retry', retryText(published?.retry ?? node.retry)],
    ['When it fails', node.onFail ?? published?.onFail ?? null],
  ]
}

const timeText = (ms: number | null): string => (ms === null ? 'default' : duration(ms))

/** A stored value, and what bridges go by where that is another one. */
function Value({ stored, inForce }: { readonly stored: number | string; readonly inForce: number | string | null }) {
  if (inForce === null || inForce === stored) return stored
  return (
    <>
      {stored}{' '}
      <Text span size="xs" c="dimmed">
        (bridges: {inForce})
      </Text>
    </>
  )
}

function retryText(retry: RetryPolicy | null): string | null {
  if (retry === null) return null
  const { attempts, backoff, baseMs, maxMs } = retry
  const pauses =
    baseMs === undefined
      ? ''
      : `, ${backoff ?? ''} from ${duration(baseMs)}${maxMs === undefined ? '' : ` to ${duration(maxMs)}`}`
  return `${attempts ?? 'default'} attempts${pauses}`
}
