import { Group, Select, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useSearchParams } from 'wouter'
import { dataOf, engine } from '../../../api/engine.ts'
import type { Node, Worker } from '../../../api/engine.ts'
import { keys } from '../../../api/keys.ts'
import { useCallers } from '../callers.ts'
import type { Caller } from '../callers.ts'
import { Trying } from './trying.tsx'

/** Calls a node of a topology once; which one stands in the address. */
export function TestCall({ worker: { name } }: { readonly worker: Worker }) {
  const { data: callers } = useCallers(name)
  return (
    <Stack gap="xs">
      <Title order={2} id="try">
        Test call
      </Title>
      {callers?.length === 0 ? (
        <Text size="sm" c="dimmed">
          No topology has a node of this worker yet. Add one with <code>worker: {name}</code>: a call needs its
          settings, its path and its time-out.
        </Text>
      ) : (
        callers && <OfNode worker={name} callers={callers} />
      )}
    </Stack>
  )
}

function OfNode({ worker, callers }: { readonly worker: string; readonly callers: readonly Caller[] }) {
  const [params, setParams] = useSearchParams()
  const topology = params.get('topology') ?? callers[0]?.topology ?? ''
  const nodes = useNodes(topology).filter((node) => node.worker === worker)
  const node = nodes.find(({ name }) => name === params.get('node')) ?? nodes[0]
  const choose = (change: Record<string, string>): void =>
    setParams((known) => new URLSearchParams({ ...Object.fromEntries(known), ...change }), { replace: true })
  return (
    <>
      <Group gap="xs">
        <Select
          label="Topology"
          w={220}
          searchable
          data={callers.map((caller) => caller.topology)}
          value={topology}
          onChange={(value) => value !== null && choose({ topology: value, node: '' })}
          allowDeselect={false}
        />
        <Select
          label="Node"
          w={220}
          searchable
          data={nodes.map(({ name }) => name)}
          value={node?.name ?? null}
          onChange={(value) => value !== null && choose({ topology, node: value })}
          allowDeselect={false}
        />
      </Group>
      {node && <Trying key={node.id} node={node} />}
    </>
  )
}

function useNodes(topology: string): readonly Node[] {
  const { data } = useQuery({
    queryKey: [...keys.nodes(topology), 'by name'],
    queryFn: () => dataOf(engine.GET('/api/topologies/{topology}/nodes', { params: { path: { topology } } })),
    enabled: topology !== '',
  })
  return data?.items ?? []
}
