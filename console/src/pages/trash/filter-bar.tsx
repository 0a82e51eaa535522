import { Badge, CloseButton, Group, SegmentedControl, Select } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { dataOf, engine } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { useSession, useWhyNot } from '../../api/session.ts'
import { TimeFilter, TopologyFilter } from '../../parts/filters/filters.tsx'
import { TextFilter } from '../../parts/filters/text-filter.tsx'
import type { TrashAddress } from './address.ts'

export type Change = (values: Readonly<Record<string, string | null>>, how?: 'push' | 'replace') => void

interface FilterBarProps {
  readonly address: TrashAddress
  readonly change: Change
}

/** What is to be seen; all of it stands in the address. */
export function FilterBar({ address, change }: FilterBarProps) {
  const { filter, state } = address
  const set = (name: string) => (value: string | null) => change({ [name]: value, message: null })
  return (
    <Group gap={8} role="search" aria-label="Filter">
      <TopologyFilter
        value={filter.topology}
        set={(topology) => change({ topology, node: null, fingerprint: null, message: null })}
      />
      <NodeFilter filter={filter} set={set('node')} />
      <SegmentedControl
        size="xs"
        aria-label="State"
        value={state}
        onChange={(value) => change({ state: value === 'open' ? null : value, message: null })}
        data={[
          { value: 'open', label: 'Open' },
          { value: 'replayed', label: 'Replayed' },
          { value: 'discarded', label: 'Discarded' },
          { value: 'all', label: 'All' },
        ]}
      />
      <TimeFilter since={filter.since} until={filter.until} set={(times) => change({ ...times, message: null })} />
      <SearchFilter filter={filter} change={change} />
      <Chips filter={filter} change={change} />
    </Group>
  )
}

function NodeFilter({
  filter,
  set,
}: {
  readonly filter: TrashAddress['filter']
  readonly set: (value: string | null) => void
}) {
  const { topology: own } = useSession()
  const topology = filter.topology ?? own ?? undefined
  const { data = [] } = useQuery({
    queryKey: [...keys.nodes(topology ?? ''), 'names'],
    queryFn: async () => {
      const params = { path: { topology: topology ?? '' } }
      return (await dataOf(engine.GET('/api/topologies/{topology}/nodes', { params }))).items.map(({ name }) => name)
    },
    enabled: topology !== undefined,
  })
  if (topology === undefined && filter.node === undefined) return null
  const names = filter.node === undefined || data.includes(filter.node) ? data : [filter.node, ...data]
  return (
    <Select
      aria-label="Node"
      placeholder="All nodes"
      data={names}
      value={filter.node ?? null}
      onChange={set}
      searchable
      clearable
      clearButtonProps={{ 'aria-label': 'All nodes' }}
      w={150}
    />
  )
}

/** In errors, or in what messages hold. */
function SearchFilter({
  filter,
  change,
}: Pick<FilterBarProps, 'change'> & { readonly filter: TrashAddress['filter'] }) {
  const lacksPayload = useWhyNot('payload') !== null
  const isInBody = filter.in === 'body'
  return (
    <Group gap={4} wrap="nowrap">
      <TextFilter
        label={isInBody ? 'Search in bodies' : 'Search in errors'}
        value={filter.text}
        set={(text) => change({ text, message: null }, 'replace')}
      />
      {!lacksPayload && (
        <Select
          aria-label="Where to search"
          data={[
            { value: 'error', label: 'in errors' },
            { value: 'body', label: 'in bodies' },
          ]}
          value={isInBody ? 'body' : 'error'}
          allowDeselect={false}
          onChange={(where) => change({ in: where === 'body' ? 'body' : null, message: null })}
          w={104}
        />
      )}
    </Group>
  )
}

const chips = [
  ['run', 'run'],
  ['tenant', 'tenant'],
  ['fingerprint', 'kind'],
] as const

/** What was chosen elsewhere, to be taken out. */
function Chips({ filter, change }: Pick<FilterBarProps, 'change'> & { readonly filter: TrashAddress['filter'] }) {
  return chips.map(([name, text]) => {
    const value = filter[name]
    if (value === undefined) return null
    return (
      <Badge
        key={name}
        variant="default"
        size="lg"
        fw={400}
        rightSection={
          <CloseButton
            size="xs"
            aria-label={`Any ${text}`}
            onClick={() => change({ [name]: null, message: null, view: name === 'fingerprint' ? null : 'messages' })}
          />
        }
      >
        {text} {value.length > 14 ? `${value.slice(0, 12)}…` : value}
      </Badge>
    )
  })
}
