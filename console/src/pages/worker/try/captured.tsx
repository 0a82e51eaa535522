import { Radio, Text } from '@mantine/core'
import { dataOf, engine } from '../../../api/engine.ts'
import type { PeekedMessage, TrashHead } from '../../../api/engine.ts'
import { keys } from '../../../api/keys.ts'
import { bytes } from '../../../parts/show/format.ts'
import { Listed } from '../../../parts/table/listed.tsx'
import { Rows } from '../../../parts/table/rows.tsx'
import type { Column } from '../../../parts/table/rows.tsx'
import { useList } from '../../../parts/table/use-list.ts'
import { Mono } from '../../../parts/show/facts.tsx'
import { Time } from '../../../parts/show/time.tsx'
import type { Captured } from './request.ts'

interface CapturedProps {
  readonly nodeId: string
  readonly chosen: Captured | null
  readonly choose: (captured: Captured) => void
}

const previewBytes = 400
const atATime = 10

/** Messages that wait at the node now; none is taken from its queue. */
export function PeekedMessages({ nodeId, chosen, choose }: CapturedProps) {
  const list = useList({
    queryKey: ['peek', nodeId],
    ask: (after) => {
      const query = { limit: atATime, bytes: previewBytes, ...after }
      return dataOf(engine.GET('/api/nodes/{id}/peek', { params: { path: { id: nodeId }, query } }))
    },
  })
  const columns: readonly Column<PeekedMessage>[] = [
    {
      title: 'Message',
      cell: ({ sequence }) => (
        <Radio
          size="xs"
          name="captured"
          checked={chosen !== null && 'sequence' in chosen && chosen.sequence === sequence}
          onChange={() => choose({ sequence })}
          label={`no. ${sequence}`}
        />
      ),
      tight: true,
    },
    { title: 'State', cell: ({ state }) => state, tight: true },
    { title: 'In the queue', cell: ({ enqueuedAt }) => <Time at={enqueuedAt} relative />, tight: true },
    { title: 'Size', cell: ({ size }) => bytes(size), right: true, tight: true },
    { title: 'Body', cell: (message) => <Mono>{previewOf(message)}</Mono> },
  ]
  return (
    <Listed list={list} empty={<Nothing>Nothing waits at this node now. Take one from Trash, or type one.</Nothing>}>
      {(items) => (
        <Rows label="Messages in the queue" columns={columns} items={items} idOf={({ sequence }) => String(sequence)} />
      )}
    </Listed>
  )
}

function previewOf({ body, bodyBase64, contentType }: PeekedMessage): string {
  if (bodyBase64 !== undefined) return `${contentType}, not text`
  if (body === undefined) return contentType
  return typeof body === 'string' ? body : JSON.stringify(body)
}

/** Messages that have failed at the node; they stay in Trash. */
export function TrashedMessages({ nodeId, chosen, choose }: CapturedProps) {
  const list = useList({
    queryKey: keys.trash(null, 'to try', nodeId),
    ask: (after) =>
      dataOf(
        engine.GET('/api/trash', { params: { query: { node: nodeId, state: 'open', limit: atATime, ...after } } }),
      ),
  })
  const columns: readonly Column<TrashHead>[] = [
    {
      title: 'Message',
      cell: ({ id, createdAt }) => (
        <Radio
          size="xs"
          name="captured"
          checked={chosen !== null && 'trash' in chosen && chosen.trash === id}
          onChange={() => choose({ trash: id })}
          label={<Time at={createdAt} />}
        />
      ),
      tight: true,
    },
    { title: 'Failed by', cell: ({ error }) => [error.title, error.detail].filter((text) => text).join(': ') },
    { title: 'Attempts', cell: ({ attempts }) => attempts, right: true, tight: true },
    { title: 'Type', cell: ({ contentType }) => contentType, tight: true },
  ]
  return (
    <Listed
      list={list}
      empty={<Nothing>Nothing of this node lies in Trash. Take one from its queue, or type one.</Nothing>}
    >
      {(items) => <Rows label="Messages in Trash" columns={columns} items={items} idOf={({ id }) => id} />}
    </Listed>
  )
}

function Nothing({ children }: { readonly children: string }) {
  return (
    <Text size="sm" c="dimmed">
      {children}
    </Text>
  )
}
