import { Stack, Text } from '@mantine/core'
import type { AuditEntry } from '../../api/engine.ts'
import { Rows } from '../../parts/table/rows.tsx'
import type { Column } from '../../parts/table/rows.tsx'
import { Mono } from '../../parts/show/facts.tsx'
import show from '../../parts/show/show.module.css'
import { changesOf } from './changes.ts'
import type { Change } from './changes.ts'

const columns: readonly Column<Change>[] = [
  { title: 'What', cell: ({ path }) => <Mono>{path}</Mono> },
  { title: 'Before', cell: ({ before }) => before !== undefined && <Value value={before} tone={show['was']} /> },
  { title: 'After', cell: ({ after }) => after !== undefined && <Value value={after} tone={show['is']} /> },
]

function Value({ value, tone }: { readonly value: unknown; readonly tone: string | undefined }) {
  return (
    <span className={tone}>
      <Mono>{typeof value === 'string' ? value : JSON.stringify(value)}</Mono>
    </span>
  )
}

/** What a change changed, value by value. */
export function Difference({ entry }: { readonly entry: AuditEntry }) {
  const { before, after, method, path, address, sessionId } = entry
  const changes = changesOf(before, after)
  return (
    <Stack gap="xs" py={4}>
      <Text size="xs" c="dimmed">
        <Mono>
          {method} {path}
        </Mono>
        {address !== null && ` from ${address}`}
        {sessionId === null ? ', by the token itself' : ', from a browser'}
      </Text>
      {changes.length === 0 ? (
        <Text size="sm">What differs is not recorded: secrets and what messages hold are never in the log.</Text>
      ) : (
        <Rows label="What differs" columns={columns} items={changes} idOf={(change) => change.path} />
      )}
    </Stack>
  )
}
