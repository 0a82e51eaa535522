import { Stack, Text, Title } from '@mantine/core'
import type { Worker } from '../../api/engine.ts'
import { Rows } from '../../parts/table/rows.tsx'
import type { Column } from '../../parts/table/rows.tsx'
import { Mono } from '../../parts/show/facts.tsx'
import { nodesOf } from '../workers/manifest.ts'
import type { ManifestNode } from '../workers/manifest.ts'

const columns: readonly Column<ManifestNode>[] = [
  { title: 'Node', cell: ({ name }) => name },
  { title: 'Type', cell: ({ type }) => type, tight: true },
  { title: 'Path', cell: ({ name, path }) => <Mono>{path ?? `/nodes/${name}`}</Mono> },
  { title: 'Service', cell: ({ service }) => service ?? '', tight: true },
  { title: 'Defaults', cell: ({ defaults }) => defaults !== undefined && <Mono>{JSON.stringify(defaults)}</Mono> },
]

/** What its manifest says that it can do. */
export function ManifestNodes({ worker }: { readonly worker: Worker }) {
  const nodes = nodesOf(worker)
  return (
    <Stack gap="xs">
      <Title order={2}>What it can do</Title>
      {nodes.length > 0 ? (
        <Rows label="Nodes of its manifest" columns={columns} items={nodes} idOf={({ name }) => name} />
      ) : (
        <Text size="sm" c="dimmed">
          {worker.manifest === null
            ? 'It has given no manifest. It works all the same; with one at /.well-known/sluice-worker the editor knows its nodes.'
            : 'Its manifest names no nodes.'}
        </Text>
      )}
    </Stack>
  )
}
